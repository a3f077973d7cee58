import { beforeAll, expect, test } from "vitest";
import { LANES } from "../../shared/protocol/lane.ts";
import { type Client, connect, type Producer, producer } from "./support/client.ts";
import { deployment } from "./support/deployment.ts";

const router = deployment();
let shop: Producer;
let lea: Client;
let leaId: string;
let leo: Client;

beforeAll(async () => {
  shop = await producer(router, "shop");
  lea = await connect(router, "lea", { tags: ["region:gd"] });
  leo = await connect(router, "leo", { tags: ["region:gd"] });
  [leaId = ""] = await router.connectionsOf("lea");
  await lea.request({ type: "subscribe", topics: ["orders"] });
  return () => Promise.all([lea.close(), leo.close()]);
});

test.each([
  { kind: "one connection", target: () => ({ connection: leaId }), says: { to: "connection" } },
  { kind: "a user", target: () => ({ user: "lea" }), says: { to: "user" } },
  { kind: "a topic", target: () => ({ topic: "orders" }), says: { topic: "orders" } },
  {
    kind: "a tag expression",
    target: () => ({ tags: { all: ["region:gd"], any: ["topic:orders", "plan:pro"], none: ["user:leo"] } }),
    says: { to: "tags" },
  },
  { kind: "everyone", target: () => ({ everyone: true }), says: { to: "everyone" }, both: true },
])("a message for $kind reaches exactly those it is for", async ({ target, says, both = false }) => {
  const data = { order: 1, name: "Zoë" };
  const id = await shop.send({ target: target(), event: "order.shipped", data });
  const frame = { type: "message", id, ...says, event: "order.shipped", data };
  expect(await lea.message()).toMatchObject(frame);
  expect(await shop.ended(id)).toMatchObject({ state: "delivered", counts: { sent: both ? 2 : 1 } });
  expect(await leo.rest()).toMatchObject(both ? [frame] : []);
  expect(await lea.rest()).toEqual([]);
});

test.each(["high", "normal", "low"])("a message of priority %s is delivered", async (priority) => {
  const id = await shop.send({ target: { user: "lea" }, data: priority, priority });
  expect(await lea.message()).toMatchObject({ id, data: priority });
});

test.each(LANES)("the consumer takes jobs from the lane %s", async (lane) => {
  const id = `job-on-${lane}`;
  const job = {
    message: {
      ...{ id, copy: id, producer: "shop", target: { user: "lea" }, data: lane },
      ...{ priority: "normal", time: new Date().toISOString(), dedupeSeconds: 300 },
    },
  };
  await router.enqueue(lane, JSON.stringify(job));
  expect(await lea.message()).toMatchObject({ id, data: lane });
  expect(await shop.ended(id)).toMatchObject({ state: "delivered" });
});

test("after unsubscribing, messages to the topic do not arrive any more", async () => {
  const eve = await connect(router, "eve");
  await eve.request({ type: "subscribe", topics: ["weather"] });
  const first = await shop.send({ target: { topic: "weather" }, data: "sun" });
  expect(await eve.message()).toMatchObject({ id: first });
  await eve.request({ type: "unsubscribe", topics: ["weather"] });
  const second = await shop.send({ target: { topic: "weather" }, data: "rain" });
  expect(await shop.ended(second)).toMatchObject({ state: "no-recipients" });
  expect(await eve.rest()).toEqual([]);
  await eve.close();
});
