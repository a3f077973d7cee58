import { expect, onTestFinished, test } from "vitest";
import { start } from "../../local/index.ts";
import { mintToken, publisher } from "../../server/index.ts";
import { DEV_SECRET } from "../../shared/settings/dev-secret.ts";
import { connect } from "../support/client.ts";
import { patient } from "../support/patient.ts";

async function running() {
  const router = await start({ settings: patient() });
  onTestFinished(async () => {
    await router.stop(0);
  });
  const shop = publisher({ url: router.url, secret: DEV_SECRET, user: "shop" });
  return { router, shop };
}

test("what is published reaches those that it is for, and waitFor tells its ending", async () => {
  const { router, shop } = await running();
  const ann = await connect(router, "ann", [], { publish: [] });
  const { id } = await shop.publish({ target: { user: "ann" }, event: "order.shipped", data: { order: 7 } });
  expect(await ann.next()).toMatchObject({ type: "message", id, event: "order.shipped", data: { order: 7 } });
  expect(await shop.waitFor(id, { ending: "delivered" })).toMatchObject({
    id,
    producer: "shop",
    counts: { sent: 1 },
  });
  const nobody = await shop.publish({ target: { user: "nobody" }, data: 1 });
  expect(await shop.waitFor(nobody.id)).toMatchObject({ state: "no-recipients" });
});

test("the same id published twice is one message", async () => {
  const { router, shop } = await running();
  const ann = await connect(router, "ann");
  for (const data of [1, 2]) await shop.publish({ id: "once", target: { user: "ann" }, data });
  await shop.waitFor("once");
  await router.spy.idle();
  ann.send({ type: "ping" });
  expect([await ann.next(), await ann.next()]).toMatchObject([{ id: "once", data: 1 }, { type: "pong" }]);
});

test("an array of 120 messages has a result for each, and a bad one sinks no other", async () => {
  const { shop } = await running();
  const messages = Array.from({ length: 120 }, (_, n) => ({
    target: { topic: n === 70 ? "no topic" : "orders" },
    data: n,
  }));
  const results = await shop.publishAll(messages);
  expect(results.map(({ state }) => state)).toEqual(
    messages.map((_, n) => (n === 70 ? "refused" : "queued")),
  );
  expect(results[70]).toMatchObject({ problem: { code: "MESSAGE_INVALID" } });
  const ids = results.map(({ id }) => id);
  expect(new Set(ids).size).toBe(120);
  expect(await shop.waitFor(ids[119] ?? "")).toMatchObject({ state: "no-recipients" });
  expect(await shop.receipt(ids[70] ?? "")).toBeUndefined();
});

test("a delayed message is cancelled", async () => {
  const { shop } = await running();
  const { id } = await shop.publish({ target: { everyone: true }, delaySeconds: 600, data: 1 });
  expect(await shop.receipt(id)).toBeUndefined();
  expect(await shop.cancel(id)).toMatchObject({ id, state: "cancelled" });
  expect(await shop.waitFor(id, { ending: "cancelled" })).toMatchObject({ state: "cancelled" });
});

test("a token that mintToken makes opens a socket, and grants no publishing", async () => {
  const { router } = await running();
  const token = await mintToken({
    user: "ann",
    tags: ["region:gd"],
    subscribe: ["orders"],
    secret: DEV_SECRET,
  });
  const ann = publisher({ url: router.url, token });
  await expect(ann.publish({ target: { topic: "orders" }, data: 1 })).rejects.toMatchObject({
    code: "TARGET_FORBIDDEN",
    status: 403,
  });
});

test("a user is disconnected, and one who connected since is spared", async () => {
  const { router, shop } = await running();
  const ann = await connect(router, "ann");
  const bob = await connect(router, "bob");
  expect(await shop.disconnect({ user: "ann" }, { before: new Date(0) })).toEqual({ closed: 0 });
  expect(await shop.disconnect({ user: "ann" })).toEqual({ closed: 1 });
  await router.spy.waitFor({ kind: "disconnected" });
  expect([ann.isOpen(), bob.isOpen()]).toEqual([false, true]);
});
