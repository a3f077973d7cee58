import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Router } from "../../local/options.ts";
import { CONNECTING } from "../../shared/protocol/limits.ts";
import { connect, tokenFor } from "../support/client.ts";
import { post, receipt } from "../support/http.ts";
import { RUNTIMES } from "../support/runtimes.ts";

describe.each(RUNTIMES)("%s", (_name, startRouter) => {
  let router: Router;
  /** How far the router's clock is ahead, in milliseconds. */
  let ahead = 0;
  beforeAll(async () => {
    router = await startRouter({
      clock: {
        now: () => Date.now() + ahead,
        monotonic: () => performance.now() + ahead,
        pause: (milliseconds) => pause(milliseconds),
      },
    });
  });
  afterAll(() => router.stop(0));

  test.each([
    { kind: "a user", target: () => ({ user: "ann" }) },
    { kind: "a topic", target: () => ({ topic: "orders" }) },
    {
      kind: "a tag expression",
      target: () => ({ tags: { all: ["region:gd"], any: ["topic:orders", "x:y"], none: ["user:bob"] } }),
    },
    { kind: "one connection", target: (ann: string) => ({ connection: ann }) },
    { kind: "everyone", target: () => ({ everyone: true }), both: true },
  ])("a message for $kind reaches exactly those it is for", async ({ target, both = false }) => {
    const ann = await connect(router, "ann", ["region:gd"]);
    const annId = router.spy.connections().at(-1) ?? "";
    const bob = await connect(router, "bob", ["region:gd"]);
    ann.send({ type: "subscribe", topics: ["orders"], ref: 1 });
    expect(await ann.next()).toEqual({ type: "subscribed", topics: ["orders"], ref: 1 });

    const { status, body } = await post(router, {
      target: target(annId),
      event: "order.shipped",
      data: { total: 1 },
    });
    expect(status).toBe(202);
    expect(await ann.next()).toMatchObject({
      type: "message",
      id: body["id"],
      event: "order.shipped",
      data: { total: 1 },
    });
    await router.spy.idle();
    await expect.poll(() => bob.buffered()).toHaveLength(both ? 1 : 0);
    await expect.poll(() => ann.buffered()).toHaveLength(0);
    expect(await receipt(router, String(body["id"]))).toMatchObject({
      state: "delivered",
      counts: { sent: both ? 2 : 1 },
    });
    await Promise.all([ann.close(), bob.close()]);
  });

  test("a client learns its own connection id by a ping, and whoever it tells can answer it alone", async () => {
    const ann = await connect(router, "ann");
    ann.send({ type: "ping" });
    const pong = (await ann.next()) as { connection: string };
    expect(pong).toEqual({ type: "pong", connection: router.spy.connections().at(-1) });
    await post(router, { target: { connection: pong.connection }, data: "for you" });
    expect(await ann.next()).toMatchObject({ data: "for you" });
    await ann.close();
  });

  test("data arrives as it was posted, whatever characters are in it", async () => {
    const ann = await connect(router, "ann");
    const data = { text: "emoji 🎉, \ufffe\uffff, lone \ud800, \u0000\u007f\u2028", "__proto__ ": 1e300 };
    await post(router, { target: { user: "ann" }, data });
    expect(await ann.next()).toMatchObject({ data });
    await ann.close();
  });

  test("a message nobody is there for ends as no-recipients", async () => {
    const { body } = await post(router, { target: { topic: "empty" }, data: null });
    await router.spy.idle();
    expect(await receipt(router, String(body["id"]))).toMatchObject({ state: "no-recipients" });
  });

  test("a second POST of an id within its window changes nothing", async () => {
    const carl = await connect(router, "carl");
    const message = { id: "twice", target: { user: "carl" }, data: 1 };
    await post(router, message);
    await post(router, message);
    await carl.next();
    await router.spy.idle();
    await expect.poll(() => carl.buffered()).toHaveLength(0);
    await carl.close();
  });

  test("a message cancelled before any run met it is never delivered", async () => {
    const dora = await connect(router, "dora");
    await post(router, { id: "stopped", target: { user: "dora" }, data: 1, delaySeconds: 1 });
    expect(await receipt(router, "stopped", { method: "DELETE" })).toMatchObject({ state: "cancelled" });
    await router.spy.idle();
    await expect.poll(() => dora.buffered()).toHaveLength(0);
    await dora.close();
  });

  test("a message that is posted after a DELETE of its id is delivered", async () => {
    const fred = await connect(router, "fred");
    const message = { id: "once-more", target: { user: "fred" }, data: 1 };
    await receipt(router, message.id, { method: "DELETE" });
    ahead += 1;
    await post(router, message);
    expect(await fred.next()).toMatchObject({ id: message.id });
    await router.spy.idle();
    expect(await receipt(router, message.id)).toMatchObject({ state: "delivered" });
    await fred.close();
  });

  test("a connection killed without $disconnect is forgotten after one 410 and hurts nobody else", async () => {
    const lost = await connect(router, "eve");
    const lostId = router.spy.connections().at(-1) ?? "";
    const live = await connect(router, "eve");
    router.spy.kill(lostId);
    ahead += CONNECTING;
    for (const data of [1, 2]) {
      const { body } = await post(router, { target: { user: "eve" }, data });
      expect(await live.next()).toMatchObject({ data });
      await router.spy.idle();
      expect(await receipt(router, String(body["id"]))).toMatchObject({
        counts: { sent: 1, gone: data === 1 ? 1 : 0 },
      });
    }
    await Promise.all([live.close(), lost.close()]);
  });

  test("a connection that answers 429 three times gets the message on a later receive, and nobody gets it twice", async () => {
    const slow = await connect(router, "fay");
    const slowId = router.spy.connections().at(-1) ?? "";
    const quick = await connect(router, "fay");
    router.spy.failSends(slowId, [429, 429, 429]);
    const { body } = await post(router, { target: { user: "fay" }, data: "hi" });
    expect(await slow.next()).toMatchObject({ data: "hi" });
    await router.spy.idle();
    await expect.poll(() => quick.buffered()).toHaveLength(1);
    await expect.poll(() => slow.buffered()).toHaveLength(0);
    expect(await receipt(router, String(body["id"]))).toMatchObject({
      state: "delivered",
      counts: { sent: 2 },
      attempts: 2,
    });
    await Promise.all([slow.close(), quick.close()]);
  });

  test.each([
    {
      why: "the target is not granted",
      body: { target: { topic: "secret" }, data: 1 },
      status: 403,
      code: "TARGET_FORBIDDEN",
    },
    { why: "fields are bad", body: { target: {}, extra: 1 }, status: 400, code: "MESSAGE_INVALID" },
    {
      why: "it is too large",
      body: { target: { topic: "orders" }, data: "x".repeat(131_072) },
      status: 413,
      code: "MESSAGE_TOO_LARGE",
    },
  ])("a POST is refused when $why", async ({ body, status, code }) => {
    const token = await tokenFor("narrow", { publish: ["topic:orders"] });
    expect(await post(router, body, token)).toMatchObject({ status, body: { code } });
  });

  test("a token signed with another secret is refused", async () => {
    const token = await tokenFor("mallory", {}, "another-secret-of-at-least-thirty-two-bytes");
    expect(await post(router, { target: { topic: "orders" }, data: 1 }, token)).toMatchObject({
      status: 401,
    });
  });
});
