import { beforeAll, expect, test } from "vitest";
import { type Body, call, connect, type Producer, producer } from "./support/client.ts";
import { deployment } from "./support/deployment.ts";

const router = deployment();
let shop: Producer;

beforeAll(async () => {
  shop = await producer(router, "shop");
});

test("an array of a hundred is answered in order, and its one bad message sinks no other", async () => {
  const client = await connect(router, "batch");
  const ids = Array.from({ length: 100 }, (_, i) => `batch-${i}`);
  const messages = ids.map((id, i) => ({ id, target: { user: "batch" }, data: i }));
  const { status, body } = await shop.post<Body[]>(
    messages.map((message, i) => (i === 50 ? { ...message, priority: "top" } : message)),
  );
  expect(status).toBe(202);
  expect(body.map(({ id }) => id)).toEqual(ids);
  expect(body.filter(({ state }) => state !== "queued")).toMatchObject([
    { id: "batch-50", state: "refused", problem: { code: "MESSAGE_INVALID" } },
  ]);
  const good = ids.filter((id) => id !== "batch-50");
  const came = await Promise.all(good.map(() => client.message()));
  expect(came.map(({ id }) => id).sort()).toEqual([...good].sort());
  expect(await client.rest()).toEqual([]);
  await client.close();
});

test("all bad fields are named at once", async () => {
  expect(await shop.post({ target: {}, extra: 1 })).toMatchObject({
    status: 400,
    body: { code: "MESSAGE_INVALID", errors: expect.arrayContaining([expect.anything(), expect.anything()]) },
  });
});

test("an id that nobody posted has no receipt", async () => {
  expect(await shop.receipt("never-posted")).toMatchObject({
    status: 404,
    body: { code: "RECEIPT_NOT_FOUND" },
  });
});

test("a receipt is its producer's, and an admin's who names the producer", async () => {
  const id = await shop.send({ target: { topic: "nobody" }, data: 1 });
  expect(await shop.ended(id)).toMatchObject({ id, producer: "shop", state: "no-recipients" });
  const rival = await producer(router, "rival");
  expect(await rival.receipt(id)).toMatchObject({ status: 404 });
  const admin = await router.token("root", { admin: true });
  expect(await call(router, `/v1/messages/${id}?producer=shop`, { token: admin })).toMatchObject({
    status: 200,
    body: { id, producer: "shop" },
  });
});

test("a second POST of an id changes nothing", async () => {
  const client = await connect(router, "once");
  const message = { id: "posted-twice", target: { user: "once" }, data: 1 };
  await shop.send(message);
  await shop.ended(message.id);
  await shop.send({ ...message, data: 2 });
  // Same lane, later: when this one is there, the lane has had the second POST too.
  const marker = await shop.send({ target: { user: "once" }, data: "marker" });
  await shop.ended(marker);
  expect((await client.rest()).map(({ data }) => data)).toEqual([1, "marker"]);
  await client.close();
});

test("a message that is cancelled before it is due is never delivered", async () => {
  const client = await connect(router, "calm");
  const id = await shop.send({ target: { user: "calm" }, data: 1, delaySeconds: 2 });
  expect(await shop.cancel(id)).toMatchObject({ status: 200, body: { id, state: "cancelled" } });
  const later = await shop.send({ target: { user: "calm" }, data: "later", delaySeconds: 3 });
  expect(await client.message()).toMatchObject({ id: later });
  expect(await shop.receipt(id)).toMatchObject({ body: { state: "cancelled", counts: { sent: 0 } } });
  expect(await client.rest()).toEqual([]);
  await client.close();
});

test("a message that is late ends as expired", async () => {
  const client = await connect(router, "late");
  const id = "late-by-a-day";
  const dayAgo = Date.now() - 86_400_000;
  const message = {
    ...{ id, copy: id, producer: "shop", target: { user: "late" }, data: 1, priority: "normal" },
    ...{ time: new Date(dayAgo).toISOString(), expiresAt: dayAgo + 1_000, dedupeSeconds: 300 },
  };
  await router.enqueue("normal", JSON.stringify({ message }));
  expect(await shop.ended(id)).toMatchObject({ state: "expired", counts: { sent: 0 } });
  expect(await client.rest()).toEqual([]);
  await client.close();
});
