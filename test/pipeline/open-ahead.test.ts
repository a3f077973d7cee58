import { describe, expect, test } from "vitest";
import type { Claim } from "../../shared/ports.ts";
import type { Message } from "../../shared/protocol/message.ts";
import type { SettingsOverrides } from "../../shared/settings/schema.ts";
import { memoryReceipts } from "../../testing/memory/receipts.ts";
import { aMessageOf, consumer, received } from "../support/consumer.ts";

/** A consumer that notes in which order it asks for claims and pages, and when it sends. */
function noting(overrides: SettingsOverrides = {}) {
  const real = memoryReceipts();
  const notes: string[] = [];
  const note =
    <A extends unknown[], R>(name: string, call: (...asked: A) => R | Promise<R>) =>
    async (...asked: A): Promise<R> => {
      notes.push(name);
      const answer = await call(...asked);
      notes.push(`${name} returned`);
      return answer;
    };
  const receipts = { ...real, claim: note("claim", real.claim) };
  const under = consumer({ receipts, overrides });
  const { subscriptions, connections, sockets } = under;
  subscriptions.page = note("page", subscriptions.page);
  connections.find = note("page", connections.find);
  const { send } = sockets;
  sockets.send = (id, frame) => {
    notes.push("send");
    return send(id, frame);
  };
  return { ...under, real, notes };
}

const CONNECTION = { connection: "ann=" } as Message["target"];
const PLAIN: readonly { name: string; target: Message["target"] }[] = [
  { name: "a topic", target: { topic: "orders" } as Message["target"] },
  { name: "everyone", target: { everyone: true } },
  { name: "a connection", target: CONNECTION },
  { name: "one tag", target: { tags: { all: ["topic:orders"] } } as Message["target"] },
];

describe.each(PLAIN)("a message to $name", ({ target }) => {
  test("has its claim and its first page asked for at the same time, and is sent after both", async () => {
    const { run, connect, notes, got } = noting();
    const ann = await connect("ann", "orders");
    expect(await run([received(aMessageOf("one", { target }))])).toEqual([]);
    expect(got(ann)).toEqual(["one"]);
    const [first, second, ...others] = notes;
    expect([first, second].toSorted()).toEqual(["claim", "page"]);
    expect(others.filter((name) => name === "page")).toEqual([]);
    expect(notes.indexOf("send")).toBeGreaterThan(notes.indexOf("claim returned"));
  });

  test("asks for its page once it is claimed if it was received before, since its receipt says where it goes on", async () => {
    const { run, connect, notes } = noting();
    await connect("ann", "orders");
    await run([received(aMessageOf("one", { target }), 2)]);
    expect(notes.slice(0, 3)).toEqual(["claim", "claim returned", "page"]);
  });

  test.each<Claim>([
    { kind: "over", why: "duplicate" },
    { kind: "over", why: "cancelled" },
    { kind: "leased", until: 0 },
    { kind: "suspect", deaths: 1 },
    { kind: "newer", version: 2 },
  ])("is sent to nobody if its claim is $kind, whatever the page says", async (claim) => {
    const under = noting();
    const ann = await under.connect("ann", "orders");
    under.receipts.claim = async () => claim;
    await under.run([received(aMessageOf("one", { target }))]);
    expect(under.notes).toContain("page");
    expect(under.got(ann)).toEqual([]);
  });

  test("is kept, and breaks nothing, if neither claim nor page can be had", async () => {
    const under = noting();
    await under.connect("ann", "orders");
    const fails = () => Promise.reject(new Error("TABLE_UNAVAILABLE"));
    Object.assign(under.receipts, { claim: fails });
    Object.assign(under.subscriptions, { page: fails });
    Object.assign(under.connections, { find: fails });
    const one = received(aMessageOf("one", { target }));
    expect(await under.run([one])).toEqual([one.messageId]);
  });

  test("is tried again if its page cannot be had, and then reaches its connections once", async () => {
    const under = noting();
    const ann = await under.connect("ann", "orders");
    const { page } = under.subscriptions;
    const { find } = under.connections;
    const fails = () => Promise.reject(new Error("TABLE_UNAVAILABLE"));
    Object.assign(under.subscriptions, { page: fails });
    Object.assign(under.connections, { find: fails });
    const one = received(aMessageOf("one", { target }));
    expect(await under.run([one])).toEqual([one.messageId]);
    expect(await under.state("one")).toBe("retrying");
    Object.assign(under.subscriptions, { page });
    Object.assign(under.connections, { find });
    expect(await under.run([{ ...one, receive: 2 }])).toEqual([]);
    expect(under.got(ann)).toEqual(["one"]);
  });

  test("is not looked up once it has expired", async () => {
    const { run, clock, notes, state } = noting();
    const one = received(aMessageOf("one", { target, expiresAt: clock.now() }));
    expect(await run([one])).toEqual([]);
    expect(notes).not.toContain("page");
    expect(await state("one")).toBe("expired");
  });
});

test.each<{ why: string; tags: object }>([
  { why: "of two that all have", tags: { all: ["topic:orders", "topic:news"] } },
  { why: "with others that any has", tags: { all: ["topic:orders"], any: ["topic:news"] } },
  { why: "without those of another", tags: { all: ["topic:orders"], none: ["topic:news"] } },
])("an expression of several tags is looked up once the message is claimed, since its lists cost more: $why", async ({
  tags,
}) => {
  const { run, connect, notes } = noting();
  await connect("ann", "orders");
  const target = { tags } as Message["target"];
  await run([received(aMessageOf("one", { target }))]);
  expect(notes.slice(0, 3)).toEqual(["claim", "claim returned", "page"]);
});

test("a message of a stream is looked up once it is appended", async () => {
  const under = noting({ streams: [{ topics: "*", seconds: 60, count: 10 }] });
  const ann = await under.connect("ann", "orders");
  const { append } = under.streams;
  under.streams.append = async (...asked) => {
    under.notes.push("append");
    return append(...asked);
  };
  await under.run([received(aMessageOf("one"))]);
  expect(under.got(ann)).toEqual(["one"]);
  expect(under.notes.indexOf("page")).toBeGreaterThan(under.notes.indexOf("append"));
  expect(under.notes).toContain("append");
});

test.each([
  { why: "its audience was read to its end", from: {} },
  { why: "what is left of it begins after the page that was read ahead", from: { from: "ffffffff#z" } },
])("a job goes on where its receipt says: $why", async ({ from }) => {
  const under = noting();
  const ann = await under.connect("ann", "orders");
  const one = aMessageOf("one");
  const lease = { run: "before", entryId: "e", until: 0, returnsAt: 0, receive: 1 };
  await under.real.claim(one, { ...lease, onFinalReceive: false, suspects: false }, 0);
  const counts = { sent: 1, gone: 0, failed: 0 };
  const progress = { counts, pending: [], failed: [], rounds: 0, ...from };
  await under.real.settle(one, "before", { kind: "retry", progress }, 0);
  expect(await under.run([received(one)])).toEqual([]);
  expect(under.notes).toContain("page");
  expect(under.got(ann)).toEqual([]);
  expect(await under.state("one")).toBe("delivered");
});
