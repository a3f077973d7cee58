import { describe, expect, test } from "vitest";
import type { Client } from "../../client/index.ts";
import { streamRouter } from "./support/streams.ts";
import { last, recorded, world } from "./support/world.ts";

const MINUTE = 60_000;

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

  test("a question that the router does not answer is given up: it holds no connection of the page", async () => {
    const it = world();
    it.script.onSocket = (socket) => socket.refuse();
    const signals: (AbortSignal | null | undefined)[] = [];
    it.script.onFetch = (_, init) => {
      signals.push(init?.signal);
      return new Promise<Response>(() => {});
    };
    it.connect();
    await it.advance(4_000);
    expect(signals.map((signal) => signal?.aborted)).toEqual([false]);
    await it.advance(2_000);
    expect(signals[0]?.aborted).toBe(true);
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

  test("a client that was cut asks after every fourth socket that does not open", async () => {
    const it = world();
    const client = it.connect();
    await it.settle();
    let asked = 0;
    it.script.onSocket = (socket) => socket.refuse();
    it.script.onFetch = () => {
      asked++;
      return new Response("{}", { status: 503 });
    };
    it.sockets[0]?.close();
    await it.advance(10 * MINUTE);
    expect(client.state).toBe("connecting");
    const refused = it.sockets.length - 1;
    expect(refused).toBeGreaterThan(20);
    expect(asked).toBe(Math.floor(refused / 4));
  });

  test("sockets that did not open count no more once one has opened", async () => {
    const it = world();
    const client = it.connect();
    await it.settle();
    let asked = 0;
    it.script.onFetch = () => {
      asked++;
      return new Response("{}", { status: 503 });
    };
    for (let cut = 0; cut < 4; cut++) {
      let refusals = 3;
      it.script.onSocket = (socket) => (refusals-- > 0 ? socket.refuse() : socket.accept());
      it.sockets.at(-1)?.close();
      await it.advance(2 * MINUTE);
      expect(client.state).toBe("connected");
    }
    expect(it.sockets).toHaveLength(1 + 4 * 4);
    expect(asked).toBe(0);
  });

  test("a client that was cut is closed by two refusals of its token in a row", async () => {
    const it = world();
    const client = it.connect();
    const { of } = recorded(client);
    await it.settle();
    it.script.onSocket = (socket) => socket.refuse();
    it.script.onFetch = () => new Response("{}", { status: 401 });
    it.sockets[0]?.close();
    await it.advance(MINUTE);
    expect(of("state").at(-1)).toMatchObject({ state: "closed", reason: { code: "REFUSED" } });
    // The one that was cut, four of which the last is asked for, and one more.
    expect(it.sockets).toHaveLength(1 + 4 + 1);
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
    { why: "throws what has no text", token: () => Promise.reject(Object.create(null)) },
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

  test.each<{ where: string; begin: (client: Client, end: () => void) => unknown }>([
    { where: "the handler of a message", begin: (client, end) => client.subscribe("orders", end) },
    { where: "the listener of what was recovered", begin: (client, end) => client.on("recovered", end) },
    { where: "the listener of a refusal", begin: (client, end) => client.on("error", end) },
  ])("close in $where, while the first reply is read, is for good", async ({ begin }) => {
    const it = world();
    const router = streamRouter(it);
    const since = router.publish("orders");
    router.publish("orders");
    const replies = it.script.onFrame;
    it.script.onFrame = (socket, sent) => {
      const refused = [
        { topic: "secret", code: "TOPIC_FORBIDDEN", detail: "no" },
        { topic: "busy", code: "TABLE_UNAVAILABLE", detail: "later" },
      ];
      replies({ ...socket, send: (reply) => socket.send({ ...(reply as object), refused }) }, sent);
    };
    const client = it.connect({ positions: { orders: since } });
    const { of } = recorded(client);
    for (const name of ["orders", "secret", "busy"]) client.subscribe(name, () => {});
    begin(client, client.close);
    await it.settle();
    expect(it.timers()).toBe(0);
    await it.advance(3 * 60 * MINUTE);
    expect(of("state")).toMatchObject([{ state: "closed" }]);
    expect(client.state).toBe("closed");
    expect(it.sockets).toHaveLength(1);
  });

  test.each([["no address"], ["/relative"]])("an address such as %j is refused at once", (url) => {
    expect(() => world().connect({ url })).toThrow(TypeError);
  });
});
