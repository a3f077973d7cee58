import { expect, test } from "vitest";
import { socketFunction, TIMEOUT_MILLISECONDS, tagsOf } from "../support/socket-function.ts";

const topics = (count: number, name = "t") => Array.from({ length: count }, (_, i) => `${name}${i}`);

test(
  "of 200 pairs of subscribe and unsubscribe side by side none leaves a row behind, and none lacks one",
  { timeout: 120_000 },
  async () => {
    const { connect, ask, disconnect, scan } = await socketFunction({ kind: true });
    const ids = Array.from({ length: 200 }, (_, i) => `pair${i}=`);
    const replies: string[] = [];
    for (let at = 0; at < ids.length; at += 10) {
      const pair = async (id: string, i: number) => {
        await connect(id);
        const types = i % 2 ? ["subscribe", "unsubscribe"] : ["unsubscribe", "subscribe"];
        const frames = await Promise.all(types.map((type) => ask(id, { type, topics: ["orders"] })));
        replies.push(...frames.map((frame) => (frame.type === "error" ? frame.code : frame.type)));
      };
      await Promise.all(ids.slice(at, at + 10).map(pair));
    }
    expect(replies).toHaveLength(400);
    expect(["subscribed", "unsubscribed", "SUPERSEDED"]).toEqual(
      expect.arrayContaining([...new Set(replies)]),
    );
    const holders = (await scan("connections")).filter((row) => row["tags"]?.SS?.includes("topic:orders"));
    const listed = (await scan("subscriptions")).filter((row) => row["tag"]?.S === "topic:orders");
    const idOf = (key = "") => key.slice(key.indexOf("#") + 1);
    expect(listed.map((row) => idOf(row["key"]?.S)).toSorted()).toEqual(
      holders.map((row) => row["connectionId"]?.S).toSorted(),
    );
    for (let at = 0; at < ids.length; at += 10) await Promise.all(ids.slice(at, at + 10).map(disconnect));
    expect(await scan("subscriptions")).toEqual([]);
    expect(await scan("connections")).toEqual([]);
  },
);

test("of six frames of 45 topics at once exactly those that fit are taken, each wholly or not at all", async () => {
  const { connect, ask, ...rest } = await socketFunction();
  await connect("c=");
  const frames = ["a", "b", "c", "d", "e", "f"].map((name) => topics(45, name));
  const replies = await Promise.all(frames.map((names) => ask("c=", { type: "subscribe", topics: names })));
  const taken = frames.filter((_, i) => replies[i]?.type === "subscribed");
  for (const reply of replies) {
    if (reply.type !== "subscribed") expect(reply).toMatchObject({ type: "error", code: "TOO_MANY_TOPICS" });
  }
  expect(taken).toHaveLength(4);
  const expected = ["everyone", "user:ann", ...taken.flat().map((topic) => `topic:${topic}`)].toSorted();
  expect(await tagsOf(rest, "c=")).toEqual({ row: expected, lists: expected });
});

test("a token with more tags than a connection may hold is refused at $connect, with exactly as many taken", async () => {
  const { connect, scan } = await socketFunction({ kind: true });
  const tags = Array.from({ length: 199 }, (_, i) => `region:${i}`);
  const refused = await connect("more=", { tags });
  expect(refused).toMatchObject({ statusCode: 400, body: expect.stringContaining("TOO_MANY_TOPICS") });
  expect(await scan("connections")).toEqual([]);
  expect(await connect("as-many=", { tags: tags.slice(1) })).toMatchObject({ statusCode: 200 });
  expect(await scan("subscriptions")).toHaveLength(200);
});

test.each([
  50, 150, 2_000,
])("rows that stay unprocessed for %i ms are written, and the reply waits for them", async (milliseconds) => {
  let until = Number.POSITIVE_INFINITY;
  const { connect, ask, clock, ...rest } = await socketFunction({
    hasCapacity: () => clock.monotonic() >= until,
  });
  until = clock.monotonic() + milliseconds;
  expect(await connect("c=")).toMatchObject({ statusCode: 200 });
  expect((await tagsOf(rest, "c=")).lists).toEqual(["everyone", "user:ann"]);
  until = clock.monotonic() + milliseconds;
  expect(await ask("c=", { type: "subscribe", topics: topics(50) })).toMatchObject({ type: "subscribed" });
  const { row, lists } = await tagsOf(rest, "c=");
  expect(lists).toEqual(row);
  expect(lists).toHaveLength(52);
});

test("a $connect whose rows stay unwritten answers within its time, and takes back what it wrote", async () => {
  const { connect, scan, clock } = await socketFunction({ hasCapacity: () => false });
  const begun = clock.monotonic();
  const refused = await connect("c=", { tags: ["region:gd", "plan:pro"] });
  expect(refused).toMatchObject({ statusCode: 503, body: expect.stringContaining("TABLE_UNAVAILABLE") });
  expect(clock.monotonic() - begun).toBeLessThan(TIMEOUT_MILLISECONDS);
  expect(clock.monotonic() - begun).toBeGreaterThan(TIMEOUT_MILLISECONDS / 3);
  expect(await scan("connections")).toEqual([]);
  expect(await scan("subscriptions")).toEqual([]);
});

test.each(["PutItem", "BatchWriteItem"])("a $connect whose %s fails leaves no row", async (operation) => {
  const { connect, scan } = await socketFunction({ refuses: (it) => it === operation });
  expect(await connect("c=")).toMatchObject({ statusCode: 503 });
  expect([...(await scan("connections")), ...(await scan("subscriptions"))]).toEqual([]);
});

test("after a subscribe that failed half-way the next one of the topic writes its list", async () => {
  let broken = false;
  const { connect, ask, disconnect, scan, ...rest } = await socketFunction({
    refuses: (operation) => broken && operation === "BatchWriteItem",
  });
  await connect("c=");
  broken = true;
  const subscribe = { type: "subscribe", topics: ["orders"] };
  expect(await ask("c=", subscribe)).toMatchObject({ type: "error", code: "TABLE_UNAVAILABLE" });
  broken = false;
  expect(await ask("c=", subscribe)).toMatchObject({ type: "subscribed" });
  expect((await tagsOf({ scan, ...rest }, "c=")).lists).toContain("topic:orders");
});

test("after an unsubscribe that failed half-way $disconnect finds its list row", async () => {
  let broken = false;
  const { connect, ask, disconnect, scan } = await socketFunction({
    refuses: (operation) => broken && operation === "DeleteItem",
  });
  await connect("c=");
  await ask("c=", { type: "subscribe", topics: ["orders"] });
  broken = true;
  expect(await ask("c=", { type: "unsubscribe", topics: ["orders"] })).toMatchObject({
    code: "TABLE_UNAVAILABLE",
  });
  broken = false;
  await disconnect("c=");
  expect([...(await scan("connections")), ...(await scan("subscriptions"))]).toEqual([]);
});

test("a frame that changes nothing is one GetItem at the table", async () => {
  const { connect, ask, calls } = await socketFunction();
  await connect("c=");
  await ask("c=", { type: "subscribe", topics: topics(50) });
  calls.length = 0;
  expect(await ask("c=", { type: "subscribe", topics: topics(50) })).toMatchObject({ type: "subscribed" });
  expect(await ask("c=", { type: "unsubscribe", topics: topics(50, "never") })).toMatchObject({
    type: "unsubscribed",
  });
  expect(calls).toEqual(["GetItem", "GetItem"]);
});
