import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Router } from "../../local/options.ts";
import { connect, type TestSocket, tokenFor } from "../support/client.ts";
import { post } from "../support/http.ts";
import { RUNTIMES } from "../support/runtimes.ts";

describe.each(RUNTIMES)("%s", (_name, startRouter) => {
  let router: Router;
  beforeAll(async () => {
    router = await startRouter();
  });
  afterAll(() => router.stop(0));

  const inSeconds = (seconds: number) => Math.floor(Date.now() / 1_000) + seconds;

  /** Pings until there is another reply than to a ping, or to a ping too many. */
  async function untilEnded(socket: TestSocket): Promise<unknown> {
    for (;;) {
      socket.send({ type: "ping" });
      const reply = await socket.next();
      const { type, code } = reply as { type: string; code?: string };
      if (type !== "pong" && code !== "TOO_MANY_FRAMES") return reply;
    }
  }

  async function disconnectBy(path: string, claims: Record<string, unknown> = { admin: true }) {
    const headers = { authorization: `Bearer ${await tokenFor("ops", claims)}` };
    const response = await fetch(`${router.url}/v1/${path}`, { method: "DELETE", headers });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  const received = async (target: object): Promise<void> => {
    await post(router, { target, data: 1 });
  };

  describe("a token", () => {
    test("that ends closes its socket, after the reply to the next frame", async () => {
      const socket = await connect(router, "ending", [], { exp: inSeconds(2) });
      const [connectionId = ""] = router.spy.connections().slice(-1);
      expect(await untilEnded(socket)).toMatchObject({ type: "error", code: "TOKEN_EXPIRED" });
      await expect.poll(() => socket.isOpen()).toBe(false);
      await router.spy.waitFor({ kind: "disconnected", connectionId });
    });

    test("that is refreshed in time lets the connection live on, with the new grants", async () => {
      const socket = await connect(router, "ann", ["region:gd"], { exp: inSeconds(3) });
      socket.send({ type: "subscribe", topics: ["orders", "news"] });
      await socket.next();
      const exp = inSeconds(600);
      const token = await tokenFor("ann", { exp, subscribe: ["orders"], tags: ["plan:pro"] });
      socket.send({ type: "token", token, ref: 1 });
      expect(await socket.next()).toEqual({
        type: "token",
        expiresAt: new Date(exp * 1_000).toISOString(),
        removed: expect.toSatisfy(
          (removed: string[]) => removed.toSorted().join() === "region:gd,topic:news",
        ),
        ref: 1,
      });
      // The token before has ended by now.
      await expect.poll(() => Date.now() / 1_000 > exp - 600 + 4).toBe(true);
      await received({ topic: "news" });
      await received({ tags: { all: ["region:gd"] } });
      await received({ topic: "orders" });
      expect(await socket.next()).toMatchObject({ type: "message", topic: "orders" });
      await received({ tags: { all: ["plan:pro"] } });
      expect(await socket.next()).toMatchObject({ type: "message", to: "tags" });
      await received({ user: "ann" });
      expect(await socket.next()).toMatchObject({ type: "message", to: "user" });
      socket.send({ type: "ping" });
      expect(await socket.next()).toMatchObject({ type: "pong" });
      expect(socket.buffered()).toEqual([]);
      await socket.close();
    });

    test.each([
      { why: "another user's", token: () => tokenFor("bob"), code: "TOKEN_USER_DIFFERS" },
      {
        why: "signed by someone else",
        token: () => tokenFor("ann", {}, "x".repeat(32)),
        code: "TOKEN_INVALID",
      },
      { why: "expired", token: () => tokenFor("ann", { exp: inSeconds(-60) }), code: "TOKEN_INVALID" },
      { why: "no token", token: async () => "rubbish", code: "TOKEN_INVALID" },
    ])("that is $why is refused, and the connection lives on by its own", async ({ token, code }) => {
      const socket = await connect(router, "ann");
      socket.send({ type: "token", token: await token(), ref: "r" });
      const reply = await socket.next();
      expect(reply).toMatchObject({ type: "error", code, ref: "r" });
      socket.send({ type: "subscribe", topics: ["still"] });
      expect(await socket.next()).toMatchObject({ type: "subscribed", topics: ["still"] });
      await received({ topic: "still" });
      expect(await socket.next()).toMatchObject({ type: "message", topic: "still" });
      await socket.close();
    });
  });

  describe("a user who is disconnected", () => {
    test("loses all sockets, gets nothing more, and can connect again", async () => {
      const sockets = [
        await connect(router, "eve"),
        await connect(router, "eve"),
        await connect(router, "eve"),
      ];
      const bob = await connect(router, "bob");
      expect(await disconnectBy("users/eve/connections")).toEqual({
        status: 200,
        body: { closed: 3, more: false },
      });
      for (const socket of sockets) await expect.poll(() => socket.isOpen()).toBe(false);
      expect(bob.isOpen()).toBe(true);
      expect(await disconnectBy("users/eve/connections")).toMatchObject({ body: { closed: 0, more: false } });
      const again = await connect(router, "eve");
      await received({ user: "eve" });
      expect(await again.next()).toMatchObject({ type: "message", to: "user" });
      await Promise.all([again.close(), bob.close()]);
    });

    test("keeps a login that is as young as the request says", async () => {
      const old = await connect(router, "zoë");
      await expect.poll(() => Date.now()).toBeGreaterThan(Date.now());
      const before = new Date().toISOString();
      const fresh = await connect(router, "zoë");
      const query = `?before=${encodeURIComponent(before)}`;
      expect(await disconnectBy(`users/${encodeURIComponent("zoë")}/connections${query}`)).toMatchObject({
        body: { closed: 1, more: false },
      });
      await expect.poll(() => old.isOpen()).toBe(false);
      fresh.send({ type: "ping" });
      expect(await fresh.next()).toMatchObject({ type: "pong" });
      await fresh.close();
    });

    test("by one connection alone keeps the others", async () => {
      const one = await connect(router, "ann");
      one.send({ type: "ping" });
      const { connection } = (await one.next()) as { connection: string };
      const other = await connect(router, "ann");
      const path = `connections/${encodeURIComponent(connection)}`;
      expect(await disconnectBy(path)).toMatchObject({ status: 200, body: { closed: 1 } });
      await expect.poll(() => one.isOpen()).toBe(false);
      expect(await disconnectBy(path)).toMatchObject({ status: 200, body: { closed: 0 } });
      expect(other.isOpen()).toBe(true);
      await other.close();
    });

    test("needs an admin: a producer is refused, and nobody loses a socket", async () => {
      const socket = await connect(router, "ann");
      expect(await disconnectBy("users/ann/connections", { publish: ["*"] })).toMatchObject({
        ...{ status: 403, body: { code: "DISCONNECT_FORBIDDEN" } },
      });
      expect(socket.isOpen()).toBe(true);
      await socket.close();
    });
  });
});
