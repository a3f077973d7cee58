import { describe, expect, test } from "vitest";
import { history as historyOf } from "../../shared/pipeline/socket/history.ts";
import { standing } from "../../shared/pipeline/socket/standing.ts";
import { TagwireError } from "../../shared/protocol/errors.ts";
import { ANN, SOCKET } from "./side-by-side.ts";
import { FAR, streamSocket } from "./stream-socket.ts";

const ORDERS = { topic: "orders" };
const history = (more: object) => ({ type: "history", topic: "orders", ...more });

describe("a history frame", () => {
  test("is answered with the messages after a position, without a subscription", async () => {
    const { ask, append, listed } = await streamSocket();
    const [first = 0] = await append(ORDERS, 1, 2, 3);
    expect(await ask(history({ since: first, ref: "h" }))).toStrictEqual({
      ...{ type: "history", topic: "orders", position: first + 2, more: false, gap: false, ref: "h" },
      messages: [2, 3].map((data) => ({
        ...{ type: "message", id: `m-${data}`, topic: "orders", data },
        ...{ time: "2026-01-01T00:00:00.000Z", seq: first + data - 1 },
      })),
    });
    expect(listed()).not.toContain("topic:orders");
  });

  test("of what is not kept any more begins at the oldest kept, with a gap", async () => {
    const settings = { streams: [{ topics: "orders", seconds: 60, count: 2 }] };
    const { ask, append } = await streamSocket({ settings });
    const [first = 0] = await append(ORDERS, 1, 2, 3, 4);
    for (const since of [0, first - 1, first]) {
      expect(await ask(history({ since }))).toMatchObject({
        messages: [{ data: 3 }, { data: 4 }],
        position: first + 3,
        gap: true,
      });
    }
    expect(await ask(history({ since: first + 1 }))).toMatchObject({ messages: [{}, {}], gap: false });
  });

  test.each([
    FAR,
    -1,
    1.5,
    "17",
    null,
    [1],
    {},
    true,
  ])("whose position is %j is answered with the present position and a gap", async (since) => {
    const { ask, append } = await streamSocket();
    const [last] = await append(ORDERS, 1);
    expect(await ask(history({ since }))).toStrictEqual({
      ...{ type: "history", topic: "orders", messages: [], position: last, more: false, gap: true },
    });
  });

  test("with `last` is answered with the last messages, or all if there are fewer", async () => {
    const { ask, append } = await streamSocket();
    const [first = 0] = await append(ORDERS, 1, 2, 3);
    expect(await ask(history({ last: 2 }))).toMatchObject({
      messages: [{ data: 2 }, { data: 3 }],
      ...{ position: first + 2, more: false, gap: false },
    });
    expect(await ask(history({ last: 1_000 }))).toMatchObject({ messages: [{}, {}, {}], gap: false });
  });

  test("of the own user is @user; no topic and no grant is another's", async () => {
    const { ask, append } = await streamSocket({ subscribe: [] });
    const [first] = await append({ user: "ann" }, "hello");
    await append({ user: "bob" }, "secret");
    expect(await ask({ type: "history", topic: "@user", last: 10 })).toMatchObject({
      ...{ topic: "@user", position: first },
      messages: [{ to: "user", data: "hello", seq: first }],
    });
    for (const topic of ["@bob", "user:bob", "@user:bob"]) {
      const reply = await ask({ type: "history", topic, last: 10 });
      expect(reply).toMatchObject({
        type: "error",
        code: expect.stringMatching(/^TOPIC_(INVALID|FORBIDDEN)$/),
      });
    }
  });

  test.each([
    { topic: "orders/secret", code: "TOPIC_FORBIDDEN" },
    { topic: "no good", code: "TOPIC_INVALID" },
    { topic: "", code: "TOPIC_INVALID" },
  ])("of the topic $topic is refused with $code, and reads nothing", async ({ topic, code }) => {
    const { ask, calls } = await streamSocket({ subscribe: ["orders"] });
    expect(await ask(history({ topic, since: 0, ref: 9 }))).toMatchObject({ type: "error", code, ref: 9 });
    expect(calls).toEqual([]);
  });

  test.each([
    { more: {}, says: "/since must be given, or last: exactly one of the two" },
    { more: { since: 1, last: 1 }, says: "/since must be given, or last: exactly one of the two" },
    { more: { last: 0 }, says: "/last must be a whole number of 1-1000" },
    { more: { last: 1_001 }, says: "/last must be a whole number of 1-1000" },
    { more: { last: 1.5 }, says: "/last must be a whole number of 1-1000" },
    { more: { last: "5" }, says: "/last must be" },
    { more: { since: 1, topics: ["orders"] }, says: "/topics is not a known field" },
    { more: { since: 1, topic: ["orders"] }, says: "/topic must be string" },
  ])("with $more is no frame: $says", async ({ more, says }) => {
    const { ask } = await streamSocket();
    expect(await ask(history(more))).toMatchObject({
      ...{ type: "error", code: "FRAME_INVALID", detail: expect.stringContaining(says) },
    });
  });

  test("of a topic without a stream has a gap, and no position", async () => {
    const { ask, calls } = await streamSocket();
    const nothing = { type: "history", topic: "news", messages: [], more: false };
    expect(await ask({ type: "history", topic: "news", since: 17 })).toStrictEqual({ ...nothing, gap: true });
    expect(await ask({ type: "history", topic: "news", last: 17 })).toStrictEqual({ ...nothing, gap: false });
    expect(calls).toEqual([]);
  });

  test("is a read that counts, of a topic without a stream too", async () => {
    const { ask } = await streamSocket({ readLimit: () => 2 });
    expect(await ask(history({ last: 1 }))).toMatchObject({ code: "TOO_MANY_FRAMES", retryAfter: 2 });
    expect(await ask({ type: "history", topic: "news", last: 1 })).toMatchObject({ code: "TOO_MANY_FRAMES" });
  });
});

describe("a ping with positions", () => {
  const ping = (...names: string[]) => ({
    type: "ping",
    positions: Object.fromEntries(names.map((name) => [name, 1])),
  });

  test("is answered with the present positions of the streams among them", async () => {
    const { ask, append } = await streamSocket();
    const [a = 0] = await append(ORDERS, 1, 2);
    const [b] = await append({ user: "ann" }, 1);
    expect(await ask({ ...ping("orders", "@user", "news"), ref: 1 })).toStrictEqual({
      ...{ type: "pong", connection: "c1=", ref: 1 },
      positions: { orders: a + 1, "@user": b },
    });
  });

  test("names the topics that the token does not grant", async () => {
    const { ask, append } = await streamSocket({ subscribe: ["orders"] });
    const [last] = await append(ORDERS, 1);
    expect(await ask(ping("orders", "orders/secret"))).toStrictEqual({
      ...{ type: "pong", connection: "c1=" },
      positions: { orders: last },
      refused: [{ topic: "orders/secret", code: "TOPIC_FORBIDDEN", detail: "the token does not grant it" }],
    });
  });

  test("keeps an idle stream alive, so that a position from before a quiet month is no gap", async () => {
    const { deps, append, clock } = await streamSocket();
    const ann = { ...SOCKET, user: ANN.sub, subscribe: ["*"] };
    const [position = 0] = await append(ORDERS, 1);
    for (let days = 0; days < 30; days += 0.25) {
      clock.advance(6 * 3_600_000);
      expect(await standing(deps, ann, ["orders"])).toMatchObject({ value: { positions: {} } });
    }
    const found = await historyOf(deps, ann, { topic: "orders", since: position });
    expect(found).toMatchObject({ ok: true, value: { messages: [], gap: false, more: false } });
  });

  test("is answered without positions while the table cannot be reached; but a fault of the code is none", async () => {
    const failing = (fault: Error) =>
      streamSocket({ streams: (own) => ({ ...own, last: () => Promise.reject(fault) }) });
    const away = await failing(new TagwireError("TABLE_UNAVAILABLE", "throttled"));
    expect(await away.ask(ping("orders"))).toStrictEqual({ type: "pong", connection: "c1=" });
    const broken = await failing(new TypeError("a bug"));
    await expect(broken.ask(ping("orders"))).rejects.toThrow("a bug");
  });

  test("that reads too much is refused", async () => {
    const { ask } = await streamSocket({ readLimit: (_, cost = 0) => (cost > 1 ? 3 : undefined) });
    expect(await ask(ping("orders", "news"))).toMatchObject({ type: "pong" });
    expect(await ask(ping("orders", "@user"))).toMatchObject({ code: "TOO_MANY_FRAMES", retryAfter: 3 });
  });
});
