import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TagwireError } from "../../shared/protocol/errors.ts";
import { FRAME_BYTES } from "../../shared/protocol/limits.ts";
import { FAR, KEPT, streamSocket } from "./stream-socket.ts";

const ORDERS = { topic: "orders" };
const subscribe = (more: object = {}) => ({ type: "subscribe", topics: ["orders"], ...more });
const since = (position: unknown) => subscribe({ since: { orders: position } });

describe("a subscribe to a stream", () => {
  test("starts it, and says where the client is", async () => {
    const { ask, append, listed } = await streamSocket();
    const reply = await ask(subscribe({ ref: 1 }));
    const position = 1_767_225_600_000_000 - 1;
    expect(reply).toStrictEqual({
      ...{ type: "subscribed", topics: ["orders"], ref: 1 },
      positions: { orders: position },
    });
    expect(listed()).toContain("topic:orders");
    expect(await append(ORDERS, "first")).toEqual([position + 1]);
  });

  test("writes the subscription before it reads the stream", async () => {
    const order: string[] = [];
    const { ask, deps } = await streamSocket({
      streams: (own) => ({
        ...own,
        last: async (stream) => {
          order.push("read");
          return own.last(stream);
        },
      }),
    });
    const { add } = deps.subscriptions;
    deps.subscriptions.add = async (...asked) => {
      await add(...asked);
      order.push("written");
    };
    await ask(since(1));
    expect(order[0]).toBe("written");
    expect(order).toContain("read");
  });

  test("with a position gets what was missed, in order, with numbers, and nothing twice", async () => {
    const { ask, append } = await streamSocket();
    const [first = 0] = await append(ORDERS, "a", "b");
    await append(ORDERS, "c");
    expect(await ask(since(first))).toStrictEqual({
      ...{ type: "subscribed", topics: ["orders"] },
      positions: { orders: first + 2 },
      recovered: { orders: true },
      messages: ["b", "c"].map((data, n) => ({
        ...{ type: "message", id: `m-${n + 2}`, topic: "orders", data },
        ...{ time: "2026-01-01T00:00:00.000Z", seq: first + n + 1 },
      })),
    });
    expect(await ask(since(first + 2))).toStrictEqual({
      ...{ type: "subscribed", topics: ["orders"] },
      positions: { orders: first + 2 },
      recovered: { orders: true },
    });
  });

  test("whose position is older than what is kept is not recovered: it gets the present position and no messages", async () => {
    const settings = { streams: [{ topics: "orders", seconds: 60, count: 2 }] };
    const { ask, append, clock } = await streamSocket({ settings });
    const [first = 0] = await append(ORDERS, 1, 2, 3, 4);
    const last = first + 3;
    expect(await ask(since(last - 2))).toMatchObject({ recovered: { orders: true } });
    const lost = { positions: { orders: last }, recovered: { orders: false } };
    expect(await ask(since(last - 3))).toStrictEqual({ type: "subscribed", topics: ["orders"], ...lost });
    clock.advance(60_000);
    expect(await ask(since(last - 1))).toStrictEqual({ type: "subscribed", topics: ["orders"], ...lost });
    expect(await ask(since(last))).toMatchObject({ recovered: { orders: true } });
  });

  test.each([
    { what: "above the last message", position: 1_767_225_600_000_001 },
    { what: "the largest number", position: FAR },
    { what: "before its start", position: 1_767_225_600_000_000 - 2 },
    { what: "0", position: 0 },
    { what: "negative", position: -1 },
    { what: "a fraction", position: 1.5 },
    { what: "too large a number", position: 1e300 },
    { what: "a text", position: "17" },
    { what: "null", position: null },
    { what: "true", position: true },
    { what: "an array", position: [17] },
    { what: "an object", position: { orders: 17 } },
  ])("whose position is $what is not recovered, and gets the present position", async ({ position }) => {
    const { ask, append } = await streamSocket();
    const [last] = await append(ORDERS, "a");
    expect(await ask(since(position))).toStrictEqual({
      ...{ type: "subscribed", topics: ["orders"] },
      ...{ positions: { orders: last }, recovered: { orders: false } },
    });
  });

  test("whose position is another topic's is not recovered", async () => {
    const { ask, append, clock } = await streamSocket();
    await append(ORDERS, 1);
    clock.advance(1_000);
    const [other = 0] = await append({ topic: "orders/2" }, 1, 2);
    const reply = await ask({ type: "subscribe", topics: ["orders", "orders/2"], since: { orders: other } });
    expect(reply).toMatchObject({ recovered: { orders: false } });
    const [own] = await append(ORDERS, 2);
    expect(
      await ask({ ...since(0), topics: ["orders/2", "orders"], since: { "orders/2": own } }),
    ).toMatchObject({
      recovered: { "orders/2": false },
    });
  });

  test("with `last` gets the last messages of each topic that `since` does not name", async () => {
    const { ask, append } = await streamSocket();
    const [a = 0] = await append(ORDERS, 1, 2, 3);
    const [b = 0] = await append({ topic: "orders/2" }, 4, 5);
    const reply = await ask({
      ...{ type: "subscribe", topics: ["orders", "orders/2", "orders/3"] },
      ...{ since: { "orders/2": b }, last: 2 },
    });
    expect(reply).toMatchObject({
      positions: { orders: a + 2, "orders/2": b + 1 },
      recovered: { "orders/2": true },
      messages: [
        { topic: "orders", seq: a + 1, data: 2 },
        { topic: "orders", seq: a + 2, data: 3 },
        { topic: "orders/2", seq: b + 1, data: 5 },
      ],
    });
    expect(reply).not.toHaveProperty("recovered.orders");
    expect(reply).not.toHaveProperty("more");
  });

  test("of the own user is @user, needs no grant and writes no row", async () => {
    const { ask, append, listed } = await streamSocket({ subscribe: [] });
    const before = listed();
    const [first = 0] = await append({ user: "ann" }, "hello", "again");
    expect(await ask({ type: "subscribe", topics: ["@user"], since: { "@user": first } })).toStrictEqual({
      ...{ type: "subscribed", topics: ["@user"] },
      positions: { "@user": first + 1 },
      recovered: { "@user": true },
      messages: [
        {
          ...{ type: "message", id: "m-2", to: "user", data: "again" },
          ...{ time: "2026-01-01T00:00:00.000Z", seq: first + 1 },
        },
      ],
    });
    expect(listed()).toEqual(before);
  });

  test("that the token does not grant is refused and not read, and hurts no other", async () => {
    const { ask, append } = await streamSocket({ subscribe: ["orders"] });
    await append({ topic: "orders/secret" }, 1);
    const [last] = await append(ORDERS, 1);
    const topics = ["orders/secret", "orders", "@other"];
    expect(
      await ask({ type: "subscribe", topics, since: { "orders/secret": 0, orders: last, "@other": 1 } }),
    ).toStrictEqual({
      ...{ type: "subscribed", topics: ["orders"] },
      refused: [
        { topic: "orders/secret", code: "TOPIC_FORBIDDEN", detail: "the token does not grant it" },
        { topic: "@other", code: "TOPIC_INVALID", detail: expect.any(String) },
      ],
      positions: { orders: last },
      recovered: { orders: true },
    });
  });

  test("that names a position of a topic which it does not subscribe to is refused, and changes nothing", async () => {
    const { ask, listed } = await streamSocket();
    expect(await ask(subscribe({ since: { orders: 1, "orders/2": 1 }, ref: 1 }))).toStrictEqual({
      ...{ type: "error", code: "FRAME_INVALID", ref: 1 },
      detail: "/since must name only topics of the frame, got orders/2",
      errors: [{ pointer: "/since", detail: "must name only topics of the frame, got orders/2" }],
    });
    expect(listed()).not.toContain("topic:orders");
  });

  test("counts as one read a stream, and one read too many is refused before anything changes", async () => {
    const costs: (number | undefined)[] = [];
    const { ask, listed } = await streamSocket({
      readLimit: (_, cost) => {
        costs.push(cost);
        return costs.length > 1 ? 7 : undefined;
      },
    });
    await ask({ type: "subscribe", topics: ["orders", "orders/2", "news", "@user"] });
    expect(await ask(subscribe({ topics: ["orders/3"] }))).toMatchObject({
      ...{ type: "error", code: "TOO_MANY_FRAMES", retryAfter: 7 },
      detail: "too many reads of streams on this connection; wait 7 s",
    });
    expect(await ask({ type: "subscribe", topics: ["news"] })).toMatchObject({ type: "subscribed" });
    expect(costs).toEqual([3, 1]);
    expect(listed()).not.toContain("topic:orders/3");
  });

  test("fails by name if the table cannot be reached", async () => {
    const { ask } = await streamSocket({
      streams: (own) => ({
        ...own,
        last: () => Promise.reject(new TagwireError("TABLE_UNAVAILABLE", "throttled")),
      }),
    });
    await expect(ask(subscribe())).rejects.toThrow("throttled");
  });
});

describe("a topic that keeps no stream", () => {
  const off = { settings: { streams: [] } };

  test("costs no call, and is answered as ever", async () => {
    const { ask, calls } = await streamSocket();
    expect(await ask({ type: "subscribe", topics: ["news"] })).toStrictEqual({
      type: "subscribed",
      topics: ["news"],
    });
    expect(await ask({ type: "unsubscribe", topics: ["orders"] })).toMatchObject({ type: "unsubscribed" });
    expect(await ask({ type: "ping" })).toMatchObject({ type: "pong" });
    expect(calls).toEqual([]);
  });

  test.each([
    { kind: "its pattern is none of those listed", settings: KEPT },
    { kind: "nothing is kept", settings: off.settings },
  ])("is not recovered and has no position if $kind", async ({ settings }) => {
    const { ask } = await streamSocket({ settings });
    const reply = await ask({ type: "subscribe", topics: ["news", "@user"], since: { news: 17 }, last: 5 });
    expect(reply).toMatchObject({ topics: ["news", "@user"], recovered: { news: false } });
    expect(reply).not.toHaveProperty("positions.news");
  });

  test("has no position for the own user either", async () => {
    const { ask, calls } = await streamSocket(off);
    const reply = await ask({ type: "subscribe", topics: ["@user"], since: { "@user": 17 } });
    expect(reply).toStrictEqual({
      ...{ type: "subscribed", topics: ["@user"] },
      recovered: { "@user": false },
    });
    expect(calls).toEqual([]);
  });

  test("is answered the same by a router without a table of streams", async () => {
    const { deps, ask } = await streamSocket();
    delete (deps as Partial<typeof deps>).reads;
    expect(await ask(since(17))).toStrictEqual({
      ...{ type: "subscribed", topics: ["orders"] },
      recovered: { orders: false },
    });
  });
});

test("a reply to fifty topics with the longest names, all of which have messages, is one that a frame holds", async () => {
  const { ask, append } = await streamSocket();
  const topics = Array.from({ length: 50 }, (_, n) => `orders/${n}`.padEnd(128, "x"));
  const starts: Record<string, number> = {};
  for (const topic of topics) {
    const [first = 0] = await append({ topic }, 0, "y".repeat(2_150));
    starts[topic] = first;
  }
  const reply = await ask({ type: "subscribe", topics, since: starts, ref: "🙂".repeat(128) });
  if (reply.type !== "subscribed") throw new Error(reply.type);
  const bytes = Buffer.byteLength(JSON.stringify(reply));
  expect(bytes).toBeLessThanOrEqual(FRAME_BYTES);
  const given = reply.messages?.length ?? 0;
  expect(given + Object.keys(reply.more ?? {}).length).toBe(50);
});

test("a reply never exceeds a frame, and `more` leads to every message that it left, whatever it holds", async () => {
  const topicNames = fc.array(
    fc.integer({ min: 0, max: 5 }).map((n) => `orders/${"x".repeat(n * 24)}${n}`),
    {
      minLength: 1,
      maxLength: 6,
    },
  );
  const sizes = fc.array(fc.constantFrom(10, 3_000, 40_000, 100_000), { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(
      topicNames,
      sizes,
      fc.constantFrom("", "ref", "🙂".repeat(64)),
      async (names, bytes, ref) => {
        const topics = [...new Set(names)];
        const { ask, append } = await streamSocket();
        const starts: Record<string, number> = {};
        for (const topic of topics) {
          const [first = 0] = await append({ topic }, 0);
          starts[topic] = first;
          for (const size of bytes) await append({ topic }, "é".repeat(size / 2));
        }
        const reply = await ask({ type: "subscribe", topics, since: starts, ref });
        expect(Buffer.byteLength(JSON.stringify(reply))).toBeLessThanOrEqual(FRAME_BYTES);
        if (reply.type !== "subscribed") throw new Error(reply.type);
        for (const topic of topics) {
          const seen = (reply.messages ?? []).filter((it) => "topic" in it && it.topic === topic);
          const numbers = seen.map(({ seq }) => seq);
          let position = reply.positions?.[topic] ?? 0;
          for (let more = reply.more?.[topic] ?? false; more; ) {
            const page = await ask({ type: "history", topic, since: position, ref });
            expect(Buffer.byteLength(JSON.stringify(page))).toBeLessThanOrEqual(FRAME_BYTES);
            if (page.type !== "history") throw new Error(page.type);
            expect(page.messages.length).toBeGreaterThan(0);
            numbers.push(...page.messages.map(({ seq }) => seq));
            ({ position = 0, more } = page);
          }
          expect(numbers).toEqual(bytes.map((_, n) => (starts[topic] ?? 0) + n + 1));
          expect(position).toBe((starts[topic] ?? 0) + bytes.length);
        }
      },
    ),
    { numRuns: 40 },
  );
});
