import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { Router } from "../../local/options.ts";
import { connect, type TestSocket, tokenFor } from "../support/client.ts";
import { post } from "../support/http.ts";
import { RUNTIMES } from "../support/runtimes.ts";

describe.each(RUNTIMES)("%s", (_name, startRouter) => {
  interface Reply {
    readonly type: string;
    readonly code?: string;
    readonly topic?: string;
    readonly seq?: number;
    readonly data?: unknown;
    readonly position?: number;
    readonly positions?: Readonly<Record<string, number>>;
    readonly recovered?: Readonly<Record<string, boolean>>;
    readonly messages?: readonly Reply[];
    readonly more?: boolean | Readonly<Record<string, boolean>>;
    readonly gap?: boolean;
  }

  let router: Router;
  beforeAll(async () => {
    router = await startRouter({
      settings: {
        streams: [
          { topics: "orders/*", seconds: 3_600, count: 1_000 },
          { topics: "orders/short", seconds: 3_600, count: 3 },
        ],
        userStreams: { seconds: 3_600, count: 1_000 },
      },
    });
  }, 60_000);
  afterAll(() => router.stop(0));

  async function open(user = "ann", claims: Record<string, unknown> = {}): Promise<TestSocket> {
    const socket = await connect(router, user, [], claims);
    onTestFinished(() => socket.close());
    return socket;
  }

  /** Sends a frame, and returns the reply to it. */
  async function ask(socket: TestSocket, frame: object): Promise<Reply> {
    socket.send({ ...frame, ref: "asked" });
    for (;;) {
      const reply = (await socket.next()) as Reply & { ref?: string };
      if (reply.ref === "asked") return reply;
    }
  }

  /** Posts messages one after the other, so that their order is known. */
  async function publish(target: object, ...all: unknown[]): Promise<void> {
    for (const data of all) {
      expect((await post(router, { target, data })).status).toBe(202);
      await router.spy.idle();
    }
  }

  /** Where a client is that subscribes now. */
  async function present(topic: string): Promise<number> {
    const socket = await connect(router, "ann");
    const { positions = {} } = await ask(socket, { type: "subscribe", topics: [topic] });
    await socket.close();
    return positions[topic] ?? expect.fail(`${topic} has no position`);
  }

  const data = ({ messages = [] }: Reply) => messages.map((one) => one.data);

  async function overHttp(query: string, claims: Record<string, unknown> = {}) {
    const response = await fetch(`${router.url}/v1/history?${query}`, {
      headers: { authorization: `Bearer ${await tokenFor("ann", { publish: [], ...claims })}` },
    });
    return { status: response.status, body: (await response.json()) as Reply };
  }

  describe("a client that was away", { timeout: 60_000 }, () => {
    test("gets what it missed in the reply to its subscribe, and then what comes", async () => {
      const position = await present("orders/1");
      await publish({ topic: "orders/1" }, "a", "b");
      const socket = await open();
      const reply = await ask(socket, {
        type: "subscribe",
        topics: ["orders/1"],
        since: { "orders/1": position },
      });
      expect(reply).toMatchObject({
        recovered: { "orders/1": true },
        positions: { "orders/1": position + 2 },
        messages: [
          { type: "message", topic: "orders/1", seq: position + 1, data: "a" },
          { type: "message", topic: "orders/1", seq: position + 2, data: "b" },
        ],
      });
      await publish({ topic: "orders/1" }, "c");
      expect(await socket.next()).toMatchObject({ topic: "orders/1", seq: position + 3, data: "c" });
    });

    test("for longer than messages are kept is told so, and history begins at the oldest kept", async () => {
      const position = await present("orders/short");
      await publish({ topic: "orders/short" }, 1, 2, 3, 4);
      const socket = await open();
      const since = { "orders/short": position };
      const reply = await ask(socket, { type: "subscribe", topics: ["orders/short"], since });
      expect(reply).toMatchObject({
        recovered: { "orders/short": false },
        positions: { "orders/short": position + 4 },
      });
      expect(reply).not.toHaveProperty("messages");
      const history = await ask(socket, { type: "history", topic: "orders/short", since: position });
      expect(history).toMatchObject({ gap: true, more: false, position: position + 4 });
      expect(data(history)).toEqual([2, 3, 4]);
    });

    test("gets its own user's messages as @user, and nobody else's", async () => {
      const position = await present("@user");
      await publish({ user: "ann" }, "for ann");
      await publish({ user: "bob" }, "for bob");
      const socket = await open("ann", { subscribe: [] });
      const since = { "@user": position };
      expect(await ask(socket, { type: "subscribe", topics: ["@user"], since })).toMatchObject({
        recovered: { "@user": true },
        messages: [{ to: "user", data: "for ann", seq: position + 1 }],
      });
      await publish({ user: "ann" }, "live");
      expect(await socket.next()).toMatchObject({ to: "user", data: "live", seq: position + 2 });
    });

    test("gets large messages page by page, and every one of them", async () => {
      const position = await present("orders/large");
      const texts = ["a", "b", "c", "d"].map((letter) => letter.repeat(50_000));
      await publish({ topic: "orders/large" }, ...texts);
      const socket = await open();
      const since = { "orders/large": position };
      const reply = await ask(socket, { type: "subscribe", topics: ["orders/large"], since });
      expect(reply).toMatchObject({ recovered: { "orders/large": true }, more: { "orders/large": true } });
      const seen = data(reply);
      for (let at = reply.positions?.["orders/large"], more: unknown = true; more; ) {
        const page = await ask(socket, { type: "history", topic: "orders/large", since: at });
        expect(page.gap).toBe(false);
        seen.push(...data(page));
        [at, more] = [page.position, page.more];
      }
      expect(seen).toEqual(texts);
    });
  });

  describe("a position that no stream has", { timeout: 60_000 }, () => {
    test.each([
      null,
      -1,
      0,
      1.5,
      "17",
      2 ** 53 - 1,
      { position: 1 },
    ])("%j is not recovered, at once", async (since) => {
      await publish({ topic: "orders/2" }, "x");
      const position = await present("orders/2");
      const socket = await open();
      expect(
        await ask(socket, { type: "subscribe", topics: ["orders/2"], since: { "orders/2": since } }),
      ).toMatchObject({
        type: "subscribed",
        recovered: { "orders/2": false },
        positions: { "orders/2": position },
      });
      expect(await ask(socket, { type: "history", topic: "orders/2", since })).toMatchObject({
        gap: true,
        position,
      });
    });

    test("is any position of a topic that keeps no stream", async () => {
      const socket = await open();
      const reply = await ask(socket, { type: "subscribe", topics: ["news"], since: { news: 17 } });
      expect(reply).toMatchObject({ type: "subscribed", topics: ["news"], recovered: { news: false } });
      expect(reply).not.toHaveProperty("positions");
    });
  });

  test(
    "history and pings outside the grant are refused by name, and hurt nothing else",
    { timeout: 60_000 },
    async () => {
      const position = await present("orders/3");
      const socket = await open("ann", { subscribe: ["orders/3"] });
      expect(await ask(socket, { type: "history", topic: "orders/4", last: 5 })).toMatchObject({
        type: "error",
        code: "TOPIC_FORBIDDEN",
      });
      const positions = { "orders/3": 1, "orders/4": 1 };
      expect(await ask(socket, { type: "ping", positions })).toMatchObject({
        type: "pong",
        positions: { "orders/3": position },
        refused: [{ topic: "orders/4", code: "TOPIC_FORBIDDEN" }],
      });
      expect((await overHttp("topic=orders/4&last=5", { subscribe: ["orders/3"] })).status).toBe(403);
    },
  );

  test(
    "a page begins with the latest value, over the socket and over HTTP",
    { timeout: 60_000 },
    async () => {
      await publish({ topic: "orders/5" }, "old", "new");
      const socket = await open();
      const reply = await ask(socket, { type: "subscribe", topics: ["orders/5"], last: 1 });
      expect(data(reply)).toEqual(["new"]);
      const { status, body } = await overHttp("topic=orders/5&last=1");
      expect([status, body.messages, body.position]).toEqual([
        200,
        reply.messages,
        reply.positions?.["orders/5"],
      ]);
      const later = await overHttp(`topic=orders/5&since=${(body.position ?? 0) - 1}`);
      expect(data(later.body)).toEqual(["new"]);
      await publish({ user: "ann" }, "mine");
      expect(data((await overHttp("user=me&last=1")).body)).toEqual(["mine"]);
    },
  );

  test(
    "a message that is too large for every reply is refused, unless its topic keeps no stream",
    { timeout: 60_000 },
    async () => {
      const large = "x".repeat(121_000);
      for (const target of [{ topic: "orders/6" }, { user: "ann" }]) {
        expect(await post(router, { target, data: large })).toMatchObject({
          status: 413,
          body: { code: "MESSAGE_TOO_LARGE" },
        });
      }
      for (const target of [{ topic: "news" }, { everyone: true }]) {
        expect((await post(router, { target, data: large })).status).toBe(202);
      }
      await router.spy.idle();
    },
  );
});
