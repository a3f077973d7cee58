import { describe, expect, test } from "vitest";
import { frame, last, recorded, replyWell, world } from "./support/world.ts";

const MINUTE = 60_000;

describe("subscriptions", () => {
  test("subscribe, unsubscribe, subscribe in one tick is one frame", async () => {
    const it = world();
    const client = it.connect();
    await it.settle();
    client.subscribe("orders", () => {}).unsubscribe();
    client.subscribe("orders", () => {});
    await it.settle();
    expect(last(it.sockets).got).toMatchObject([{ type: "subscribe", topics: ["orders"] }]);
  });

  test("a topic has one frame under way at most, and ends as it was wanted last", async () => {
    const it = world();
    it.script.onFrame = (socket, sent) => void it.runtime.after(1_000, () => replyWell(socket, sent));
    const client = it.connect();
    const handler = () => {};
    let held = client.subscribe("orders", handler);
    await it.advance(100);
    held.unsubscribe();
    await it.advance(100);
    held = client.subscribe("orders", handler);
    await it.advance(100);
    held.unsubscribe();
    expect(last(it.sockets).got).toMatchObject([{ type: "subscribe" }]);
    await it.advance(1_000);
    expect(last(it.sockets).got).toMatchObject([{ type: "subscribe" }, { type: "unsubscribe" }]);
    client.subscribe("orders", handler);
    await it.advance(100);
    expect(last(it.sockets).got).toHaveLength(2);
    await it.advance(5_000);
    expect(last(it.sockets).got.map(({ type }) => type)).toEqual(["subscribe", "unsubscribe", "subscribe"]);
  });

  test("many topics go in frames of 50", async () => {
    const it = world();
    const client = it.connect();
    for (let i = 0; i < 120; i += 1) client.subscribe(`t${i}`, () => {});
    await it.settle();
    expect(last(it.sockets).got.map(({ topics }) => (topics as string[]).length)).toEqual([50, 50, 20]);
    expect(client.state).toBe("connected");
  });

  test("a topic that is refused hurts no other, and is asked for again with the next connection", async () => {
    const it = world();
    it.script.onFrame = (socket, { type, topics, ref }) => {
      if (type !== "subscribe") return;
      const good = (topics as string[]).filter((name) => name !== "secret");
      const refused = [{ topic: "secret", code: "TOPIC_FORBIDDEN", detail: "the token does not grant it" }];
      socket.send({ type: "subscribed", topics: good, refused, ref });
    };
    const client = it.connect();
    const { of } = recorded(client);
    const got: unknown[] = [];
    client.subscribe("secret", () => {});
    client.subscribe("orders", ({ data }) => got.push(data));
    await it.advance(MINUTE);
    expect(client.state).toBe("connected");
    expect(of("error")).toMatchObject([{ code: "TOPIC_FORBIDDEN", topic: "secret" }]);
    last(it.sockets).send(frame("orders", undefined, { data: "yes" }));
    expect(got).toEqual(["yes"]);
    expect(last(it.sockets).got).toHaveLength(1);
    last(it.sockets).close();
    await it.advance(MINUTE);
    expect(last(it.sockets).got).toMatchObject([{ topics: ["secret", "orders"] }]);
  });

  test("a frame that one topic spoils is asked again in halves, until only that one is left out", async () => {
    const it = world();
    it.script.onFrame = (socket, sent) => {
      const { topics, ref } = sent as { topics: string[]; ref: number };
      if (topics.includes("bad")) socket.send({ type: "error", code: "FRAME_INVALID", detail: "bad", ref });
      else replyWell(socket, sent);
    };
    const client = it.connect();
    const { of } = recorded(client);
    for (const name of ["a", "b", "bad", "c", "d"]) client.subscribe(name, () => {});
    await it.advance(1_000);
    expect(client.state).toBe("connected");
    expect(of("error")).toMatchObject([{ code: "FRAME_INVALID", topic: "bad" }]);
  });

  test.each([
    "TABLE_UNAVAILABLE",
    "TOO_MANY_FRAMES",
    "SUPERSEDED",
    "SOMETHING_NEW",
  ])("%s is asked again on the same socket, after a wait", async (code) => {
    const it = world();
    let failures = 2;
    it.script.onFrame = (socket, sent) => {
      if (failures-- > 0)
        socket.send({ type: "error", code, detail: "later", retryAfter: 3, ref: sent["ref"] });
      else replyWell(socket, sent);
    };
    const client = it.connect();
    client.subscribe("orders", () => {});
    await it.advance(2_900);
    expect(last(it.sockets).got).toHaveLength(1);
    await it.advance(MINUTE);
    expect(client.state).toBe("connected");
    expect(it.sockets).toHaveLength(1);
    expect(last(it.sockets).got).toHaveLength(3);
  });

  test("the gateway's own refusal of a frame, which says not which one, is taken for that of the only one", async () => {
    const it = world();
    let failures = 1;
    it.script.onFrame = (socket, sent) => {
      if (failures-- > 0) socket.send({ message: "Too Many Requests", connectionId: "c", requestId: "r" });
      else replyWell(socket, sent);
    };
    const client = it.connect();
    client.subscribe("orders", () => {});
    await it.advance(5_000);
    expect(client.state).toBe("connected");
    expect(it.sockets).toHaveLength(1);
  });

  test.each([
    "TOKEN_EXPIRED",
    "CONNECTION_UNKNOWN",
  ])("%s is a new socket with a fresh token", async (code) => {
    const it = world();
    const client = it.connect();
    client.subscribe("orders", () => {});
    await it.settle();
    last(it.sockets).send({ type: "error", code, detail: "over" });
    expect(client.state).toBe("connecting");
    await it.advance(MINUTE);
    expect(client.state).toBe("connected");
    expect(it.sockets).toHaveLength(2);
  });

  test("a frame without an answer for 10 s is a new socket", async () => {
    const it = world();
    const client = it.connect();
    const { of } = recorded(client);
    client.subscribe("orders", () => {});
    await it.settle();
    last(it.sockets).cutSilently();
    client.subscribe("more", () => {});
    await it.advance(10_100);
    expect(of("state")[1]).toMatchObject({ reason: { code: "NO_ANSWER" } });
    await it.advance(MINUTE);
    expect(last(it.sockets).got).toMatchObject([{ topics: ["orders", "more"] }]);
  });

  test("an aborted signal and a disposed subscription end", async () => {
    const it = world();
    const client = it.connect();
    const stop = new AbortController();
    const got: string[] = [];
    client.subscribe("a", () => got.push("a"), { signal: stop.signal });
    const other = client.subscribe("b", () => got.push("b"));
    client.subscribe("c", () => got.push("c"), { signal: AbortSignal.abort() });
    await it.settle();
    stop.abort();
    await other[Symbol.asyncDispose]();
    await it.settle();
    expect(last(it.sockets).got).toMatchObject([
      { type: "subscribe", topics: ["a", "b"] },
      { type: "unsubscribe", topics: ["a", "b"] },
    ]);
    for (const name of ["a", "b", "c"]) last(it.sockets).send(frame(name));
    expect(got).toEqual([]);
  });
});
