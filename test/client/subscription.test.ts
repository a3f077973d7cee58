import { getEventListeners } from "node:events";
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

  describe("beyond what a connection holds", () => {
    /** A page that holds as many topics as it may, of a router that answers frames late. */
    const full = async (late: Readonly<Record<string, number>> = {}, failures = 0) => {
      const it = world();
      const held = new Set<string>();
      let left = failures;
      it.script.onFrame = (socket, { type, topics, ref }) => {
        if (type === "unsubscribe" && left-- > 0)
          return socket.send({ type: "error", code: "TABLE_UNAVAILABLE", detail: "later", ref });
        const names = (topics ?? []) as string[];
        const isFull = type === "subscribe" && held.size + names.length > 4;
        for (const name of isFull ? [] : names) type === "subscribe" ? held.add(name) : held.delete(name);
        const reply = isFull
          ? { type: "error", code: "TOO_MANY_TOPICS", detail: "full", ref }
          : { type: `${type}d`, topics: names, ref };
        it.runtime.after(late[String(type)] ?? 0, () => socket.send(reply));
      };
      const client = it.connect();
      const subscribe = (name: string) => client.subscribe(name, () => {});
      const first = ["a", "b", "c", "d"].map(subscribe);
      await it.advance(5_000);
      return { it, held, subscribe, first, ...recorded(client) };
    };

    test.each([
      { answered: "first", late: {} },
      { answered: "last", late: { unsubscribe: 900 } },
      { answered: "before the refusal comes", late: { subscribe: 900 } },
    ])("topics replace others in one tick, even if the end of these is answered $answered", async ({
      late,
    }) => {
      const { it, held, subscribe, first, of } = await full(late);
      for (const { unsubscribe } of first) unsubscribe();
      for (const name of ["e", "f", "g", "h"]) subscribe(name);
      await it.advance(MINUTE);
      expect([...held].sort()).toEqual(["e", "f", "g", "h"]);
      const { it: again, held: one, subscribe: take, first: there, of: told } = await full(late);
      there[0]?.unsubscribe();
      take("e");
      await again.advance(MINUTE);
      expect([...one].sort()).toEqual(["b", "c", "d", "e"]);
      expect([...of("error"), ...told("error")]).toEqual([]);
    });

    test("topics replace others, even if the router cannot take these back at once", async () => {
      const { it, held, subscribe, first, of } = await full({}, 2);
      for (const { unsubscribe } of first) unsubscribe();
      for (const name of ["e", "f", "g", "h"]) subscribe(name);
      await it.advance(MINUTE);
      expect([...held].sort()).toEqual(["e", "f", "g", "h"]);
      expect(of("error")).toEqual([]);
    });

    test("a topic is refused, and asked for again when there is room", async () => {
      const { it, held, subscribe, first, of } = await full();
      subscribe("e");
      await it.advance(MINUTE);
      expect(of("error")).toMatchObject([{ code: "TOO_MANY_TOPICS", topic: "e" }]);
      first[0]?.unsubscribe();
      await it.advance(MINUTE);
      expect([...held].sort()).toEqual(["b", "c", "d", "e"]);
      expect(of("error")).toHaveLength(1);
    });
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

  test.each([
    { refusal: { type: "error", code: "TABLE_UNAVAILABLE", detail: "later" } },
    { refusal: { type: "error", code: "TOO_MANY_FRAMES", detail: "later", retryAfter: 3 } },
    { refusal: { message: "Too Many Requests", connectionId: "c" } },
  ])("a topic that could not be given back ($refusal) is given back later, or kept if it is wanted again", async ({
    refusal,
  }) => {
    const it = world();
    const client = it.connect();
    const first = ["a", "b"].map((name) => client.subscribe(name, () => {}));
    await it.settle();
    let failures = 1;
    it.script.onFrame = (socket, sent) => {
      if (sent["type"] === "unsubscribe" && failures-- > 0) socket.send({ ...refusal, ref: sent["ref"] });
      else replyWell(socket, sent);
    };
    for (const { unsubscribe } of first) unsubscribe();
    await it.settle();
    const { ready } = client.subscribe("b", () => {});
    await it.advance(MINUTE);
    await ready;
    expect(last(it.sockets).got.slice(1)).toMatchObject([
      { type: "unsubscribe", topics: ["a", "b"] },
      { type: "subscribe", topics: ["b"] },
      { type: "unsubscribe", topics: ["a"] },
    ]);
    expect(it.sockets).toHaveLength(1);
  });

  test("the wait before a topic is asked for again forgets failures that are over", async () => {
    const it = world();
    let failures = 6;
    it.script.onFrame = (socket, sent) => {
      if (failures-- > 0)
        socket.send({ type: "error", code: "TABLE_UNAVAILABLE", detail: "", ref: sent["ref"] });
      else replyWell(socket, sent);
    };
    const client = it.connect();
    client.subscribe("orders", () => {});
    await it.advance(MINUTE);
    expect(client.state).toBe("connected");
    failures = 1;
    client.subscribe("more", () => {});
    await it.advance(1_000);
    expect(last(it.sockets).got.slice(-2)).toMatchObject([{ topics: ["more"] }, { topics: ["more"] }]);
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

  test("if it refuses some of many, those that no answer comes to are asked again, on the same socket", async () => {
    const it = world();
    let frames = 0;
    it.script.onFrame = (socket, sent) => {
      frames += 1;
      if (frames === 2 || frames === 3) socket.send({ message: "Too Many Requests", connectionId: "c" });
      else it.runtime.after(1_000, () => replyWell(socket, sent));
    };
    const client = it.connect();
    for (let i = 0; i < 200; i += 1) client.subscribe(`t${i}`, () => {});
    await it.advance(8_000);
    expect(client.state).toBe("connected");
    expect(it.sockets).toHaveLength(1);
    expect(last(it.sockets).got.map(({ topics }) => (topics as string[])[0])).toEqual([
      ...["t0", "t50", "t100", "t150"],
      ...["t50", "t100"],
    ]);
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

  test("a signal that outlives the client keeps nothing of it", async () => {
    const it = world();
    const { signal } = new AbortController();
    const client = it.connect();
    client.subscribe("a", () => {}, { signal });
    client.subscribe("b", { signal }).unsubscribe();
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    client.close();
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });
});
