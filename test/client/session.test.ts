import { describe, expect, test } from "vitest";
import { frame, recorded, replyWell, type ServedSocket, world } from "./support/world.ts";

const MINUTE = 60_000;
const last = (sockets: readonly ServedSocket[]): ServedSocket => {
  const socket = sockets.at(-1);
  if (!socket) throw new Error("there is no socket");
  return socket;
};

describe("connecting", () => {
  test("offers the protocol and a fresh token, for each connection anew", async () => {
    const it = world();
    let made = 0;
    it.connect({ token: async () => `a.b.${++made}` });
    await it.settle();
    last(it.sockets).close();
    await it.advance(MINUTE);
    expect(it.sockets.map(({ protocols }) => protocols)).toEqual([
      ["tagwire.v1", "token.a.b.1"],
      ["tagwire.v1", "token.a.b.2"],
    ]);
  });

  test("counts as connected once every topic has been answered", async () => {
    const it = world();
    it.script.onFrame = () => {};
    const client = it.connect();
    client.subscribe("orders", () => {});
    const { of } = recorded(client);
    await it.advance(500);
    expect(client.state).toBe("connecting");
    const [subscribe] = last(it.sockets).ofType("subscribe");
    expect(subscribe).toMatchObject({ topics: ["orders"] });
    replyWell(last(it.sockets), subscribe ?? {});
    expect(client.state).toBe("connected");
    expect(of("state")).toEqual([{ state: "connected" }]);
  });

  test("after a cut waits a random time from the very first try on, and longer each time", async () => {
    const it = world({ random: () => 0.999 });
    it.script.onSocket = (socket) => socket.refuse();
    const client = it.connect();
    const { of } = recorded(client);
    await it.advance(10 * MINUTE);
    const waits = of("state").map(
      ({ retryInMilliseconds = 0 }) => Math.round(retryInMilliseconds / 100) / 10,
    );
    expect(waits.slice(0, 7)).toEqual([1, 2, 4, 8, 16, 30, 30]);
    expect(of("state").every(({ reason }) => reason?.code === "UNREACHABLE")).toBe(true);
  });

  test("the first wait after a cut is spread over a whole second", async () => {
    const waits = await Promise.all(
      [0, 0.25, 0.75].map(async (part) => {
        const it = world({ random: () => part });
        const client = it.connect();
        await it.settle();
        const { of } = recorded(client);
        last(it.sockets).close(1001);
        return of("state")[0]?.retryInMilliseconds;
      }),
    );
    expect(waits).toEqual([0, 250, 750]);
  });

  test("a router that accepts and closes is not hammered: the back-off forgets only after a connection has held", async () => {
    const it = world();
    it.script.onSocket = (socket) => {
      socket.accept();
      it.runtime.after(100, () => socket.close(1011));
    };
    it.connect();
    await it.advance(10 * MINUTE);
    expect(it.sockets.length).toBeLessThan(50);
    it.script.onSocket = (socket) => socket.accept();
    await it.advance(2 * MINUTE);
    const before = it.now();
    last(it.sockets).close();
    await it.advance(MINUTE);
    expect(last(it.sockets).openedAt - before).toBeLessThanOrEqual(1_000);
  });

  test("a router that never answers a handshake is given up after 20 s, and said to be unreachable", async () => {
    const it = world();
    it.script.onSocket = () => {};
    const client = it.connect();
    const { of } = recorded(client);
    await it.advance(20_001);
    expect(of("state")[0]).toMatchObject({ state: "connecting", reason: { code: "UNREACHABLE" } });
    expect(it.open()).toBe(0);
  });

  test.each([
    { why: "rubbish", answer: (socket: ServedSocket) => socket.send("<html>") },
    {
      why: "half answers",
      answer: (socket: ServedSocket, { ref }: Record<string, unknown>) =>
        socket.send({ type: "subscribed", ref }),
    },
    {
      why: "nulls",
      answer: (socket: ServedSocket) =>
        ["null", "[]", "1", '{"type":"message"}', '{"type":7}'].forEach((it) => void socket.send(it)),
    },
    {
      why: "answers of another form",
      answer: (socket: ServedSocket, { ref }: Record<string, unknown>) =>
        socket.send({ type: "subscribed", topics: { a: 1 }, refused: 3, positions: [], messages: "x", ref }),
    },
    { why: "nothing", answer: () => {} },
  ])("a router that answers $why never throws into the page, is never taken for good, and is asked ever less", async ({
    answer,
  }) => {
    const it = world();
    it.script.onFrame = answer;
    const client = it.connect();
    const { of } = recorded(client);
    client.subscribe("orders", () => {});
    await it.advance(10 * MINUTE);
    expect(of("state").filter(({ state }) => state === "connected")).toEqual([]);
    const frames = it.sockets.flatMap(({ got }) => got);
    expect(frames.length).toBeGreaterThan(3);
    expect(frames.length).toBeLessThan(60);
    it.script.onFrame = replyWell;
    await it.advance(2 * MINUTE);
    expect(client.state).toBe("connected");
  });
});

describe("what is for good", () => {
  test("two fresh tokens that the router refuses close the client, and it says so", async () => {
    const it = world();
    it.script.onSocket = (socket) => socket.refuse();
    const asked: unknown[] = [];
    it.script.onFetch = (url, init) => {
      asked.push([url, init?.headers]);
      return new Response("{}", { status: 401 });
    };
    const client = it.connect({ httpUrl: "https://api.example.com/" });
    const { of } = recorded(client);
    await it.advance(MINUTE);
    expect(of("state").at(-1)).toMatchObject({ state: "closed", reason: { code: "REFUSED" } });
    expect(it.sockets).toHaveLength(2);
    expect(asked[0]).toEqual([
      "https://api.example.com/v1/messages/-",
      { authorization: "Bearer header.payload.signature" },
    ]);
    expect(it.timers()).toBe(0);
  });

  test.each([
    { why: "takes the token", onFetch: () => new Response("{}", { status: 403 }) },
    { why: "fails", onFetch: () => new Response("{}", { status: 503 }) },
    { why: "cannot be reached", onFetch: () => Promise.reject(new TypeError("failed to fetch")) },
    { why: "never answers", onFetch: () => new Promise<Response>(() => {}) },
  ])("a router that $why may come back", async ({ onFetch }) => {
    const it = world();
    it.script.onSocket = (socket) => socket.refuse();
    it.script.onFetch = onFetch;
    const client = it.connect();
    await it.advance(10 * MINUTE);
    expect(client.state).toBe("connecting");
    it.script.onSocket = (socket) => socket.accept();
    await it.advance(MINUTE);
    expect(client.state).toBe("connected");
  });

  test("one refusal between two that are none is not for good", async () => {
    const it = world();
    it.script.onSocket = (socket) => socket.refuse();
    let asked = 0;
    it.script.onFetch = () => new Response("{}", { status: ++asked % 2 ? 401 : 503 });
    const client = it.connect();
    await it.advance(5 * MINUTE);
    expect(asked).toBeGreaterThan(5);
    expect(client.state).toBe("connecting");
  });

  test("a token that is null says that nobody is signed in", async () => {
    const it = world();
    const client = it.connect({ token: () => null });
    const { of } = recorded(client);
    await it.settle();
    expect(of("state")).toMatchObject([{ state: "closed", reason: { code: "SIGNED_OUT" } }]);
    expect(it.sockets).toEqual([]);
  });

  test.each([
    {
      why: "throws",
      token: () => {
        throw new Error("offline");
      },
    },
    { why: "rejects", token: () => Promise.reject(new Error("offline")) },
    { why: "never settles", token: () => new Promise<string>(() => {}) },
    { why: "returns no text", token: () => 7 as unknown as string },
  ])("a token function that $why is asked again", async ({ token }) => {
    const it = world();
    let isBack = false;
    const client = it.connect({ token: () => (isBack ? "a.b.c" : token()) });
    const { of } = recorded(client);
    await it.advance(MINUTE);
    expect(of("state")[0]).toMatchObject({ state: "connecting", reason: { code: "TOKEN_UNAVAILABLE" } });
    isBack = true;
    await it.advance(MINUTE);
    expect(client.state).toBe("connected");
  });

  test("close ends loops, sockets and timers, once and for all", async () => {
    const it = world();
    const client = it.connect();
    const loop = client.subscribe("orders")[Symbol.asyncIterator]();
    const next = loop.next();
    await it.settle();
    client.close();
    expect(await next).toEqual({ done: true, value: undefined });
    expect(last(it.sockets).closedWith).toBe(1000);
    expect(it.timers()).toBe(0);
    const { of } = recorded(client);
    client.close();
    const late = client.subscribe("late")[Symbol.asyncIterator]();
    expect((await late.next()).done).toBe(true);
    await it.advance(MINUTE);
    expect(of("state")).toEqual([]);
    expect(it.sockets).toHaveLength(1);
  });

  test.each([["no address"], ["/relative"]])("an address such as %j is refused at once", (url) => {
    expect(() => world().connect({ url })).toThrow(TypeError);
  });
});

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

describe("handlers", () => {
  const connected = async () => {
    const it = world();
    const client = it.connect();
    const seen = recorded(client);
    await it.settle();
    return { it, client, ...seen, socket: last(it.sockets) };
  };

  test("that throw are reported, and break no other", async () => {
    const { it, client, of, socket } = await connected();
    const got: unknown[] = [];
    const fault = new Error("mine");
    client.subscribe("orders", () => {
      throw fault;
    });
    client.subscribe("orders", async () => {
      throw fault;
    });
    client.subscribe("orders", ({ data }) => got.push(data));
    client.on("error", () => {
      throw fault;
    });
    const silent = console.error;
    console.error = () => {};
    await it.settle();
    for (const n of [1, 2]) socket.send(frame("orders", undefined, { id: `m${n}`, data: n }));
    await it.settle();
    console.error = silent;
    expect(got).toEqual([1, 2]);
    expect(of("error")).toHaveLength(4);
    expect(of("error")[0]).toMatchObject({ code: "HANDLER_FAILED", topic: "orders", cause: fault });
  });

  test("a failure that nobody listens for goes to the console", async () => {
    const it = world();
    const client = it.connect();
    client.subscribe("orders", () => {
      throw new Error("mine");
    });
    await it.settle();
    const told: unknown[] = [];
    const silent = console.error;
    console.error = (fault) => told.push(fault);
    last(it.sockets).send(frame("orders"));
    console.error = silent;
    expect(told).toMatchObject([{ code: "HANDLER_FAILED" }]);
  });

  test("get what is for the user, for everyone, for the connection and for its tags, without a subscription", async () => {
    const { it, client, socket } = await connected();
    const got: string[] = [];
    for (const to of ["everyone", "connection", "tags"] as const) client.receive(to, () => got.push(to));
    await it.settle();
    expect(socket.got).toEqual([]);
    for (const to of ["everyone", "connection", "tags"])
      socket.send({ type: "message", id: to, to, data: 1, time: "2026-01-31T12:00:00.000Z" });
    expect(got).toEqual(["everyone", "connection", "tags"]);
  });

  test("the user's messages are asked for as @user, and come without a stream too", async () => {
    const { it, client, socket, of } = await connected();
    it.script.onFrame = (to, { ref }) =>
      to.send({
        type: "subscribed",
        topics: [],
        refused: [{ topic: "@user", code: "TOPIC_INVALID", detail: "" }],
        ref,
      });
    const got: unknown[] = [];
    client.receive("user", ({ data }) => got.push(data), { last: 2 });
    const mine = (id: string) => ({
      type: "message",
      id,
      to: "user",
      data: id,
      time: "2026-01-31T12:00:00.000Z",
    });
    await it.advance(0);
    socket.send(mine("early"));
    await it.settle();
    expect(socket.got).toMatchObject([{ type: "subscribe", topics: ["@user"] }]);
    socket.send(mine("late"));
    expect(got).toEqual(["early", "late"]);
    expect(of("error")).toEqual([]);
  });

  test("a message that is repeated is handed on once, and one of the same id and another time is another", async () => {
    const { it, client, socket } = await connected();
    const got: unknown[] = [];
    client.subscribe("orders", ({ data }) => got.push(data));
    await it.settle();
    for (const data of [1, 2]) socket.send(frame("orders", undefined, { data }));
    socket.send(frame("orders", undefined, { data: 3, time: "2026-01-31T12:09:00.000Z" }));
    expect(got).toEqual([1, 3]);
  });

  test("a loop gets what came before it asked, in order, and ends with its break", async () => {
    const { it, client, socket } = await connected();
    const orders = client.subscribe("orders");
    await it.settle();
    for (const n of [1, 2, 3]) socket.send(frame("orders", undefined, { id: `m${n}`, data: n }));
    const got: unknown[] = [];
    for await (const { data } of orders) {
      got.push(data);
      if (data === 2) break;
    }
    expect(got).toEqual([1, 2]);
    await it.settle();
    expect(socket.got.at(-1)).toMatchObject({ type: "unsubscribe" });
  });

  test("a handler that is busy gets the next message after it", async () => {
    const { it, client, socket } = await connected();
    const got: string[] = [];
    let go = () => {};
    client.subscribe("orders", async ({ data }) => {
      got.push(`begin ${data}`);
      await new Promise<void>((resolve) => {
        go = resolve;
      });
      got.push(`end ${data}`);
    });
    await it.settle();
    for (const n of [1, 2]) socket.send(frame("orders", undefined, { id: `m${n}`, data: n }));
    expect(got).toEqual(["begin 1"]);
    go();
    await it.settle();
    expect(got).toEqual(["begin 1", "end 1", "begin 2"]);
  });

  test("the connection's id is asked for", async () => {
    const { it, client } = await connected();
    const id = client.connectionId();
    await it.settle();
    expect(await id).toBe("c1");
    client.close();
    expect(await client.connectionId()).toBeUndefined();
  });
});
