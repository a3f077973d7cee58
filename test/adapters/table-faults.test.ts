import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { describe, expect, onTestFinished, test } from "vitest";
import { CREDENTIALS, REGION } from "../../local/twin/emulators/aws.ts";
import { dynamoConnections } from "../../shared/adapters/dynamodb/connections.ts";
import { dynamoReceipts } from "../../shared/adapters/dynamodb/receipts.ts";
import { dynamoSubscriptions } from "../../shared/adapters/dynamodb/subscriptions.ts";
import type { TagChange } from "../../shared/connections/connection.ts";
import type { ConnectionId, Tag } from "../../shared/protocol/tag.ts";
import { WHOLE } from "../../shared/receipts/hash-range.ts";
import { startFront } from "../../testing/front.ts";
import { json } from "../../testing/json.ts";
import { memoryClock } from "../../testing/memory/clock.ts";
import { type CallRequest, type CallResponse, operationOf } from "../../testing/service.ts";
import { ANN, aJob, delivered, lease } from "../contract/receipt-parts.ts";
import { NOW } from "../support/message.ts";

const fault = (name: string, message: string): CallResponse => ({
  status: 400,
  headers: { "content-type": "application/x-amz-json-1.0" },
  body: JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${name}`, message }),
});

/** The stores over a DynamoDB that answers as told, and the names of the calls that it got. */
async function storesOver(answer: (request: CallRequest) => CallResponse) {
  const calls: string[] = [];
  const front = await startFront([], async (request) => {
    calls.push(operationOf(request));
    return answer(request);
  });
  const client = new DynamoDBClient({ endpoint: front.url, region: REGION, credentials: CREDENTIALS });
  onTestFinished(async () => {
    client.destroy();
    await front.stop();
  });
  return {
    calls,
    receipts: dynamoReceipts({ client, table: "receipts", days: 15 }),
    connections: dynamoConnections(client, "connections"),
    subscriptions: dynamoSubscriptions({
      ...{ client, table: "subscriptions", clock: memoryClock(), random: () => 0.5, patience: () => 1_000 },
    }),
  };
}

type Stores = Awaited<ReturnType<typeof storesOver>>;

const HOLDER = { connectionId: "c=" as ConnectionId, connectedAt: NOW };
const TAG = "topic:orders" as Tag;
const MARK = { id: "m", startedAt: NOW, tags: [TAG] };
const CONNECTION = {
  ...HOLDER,
  ...{ user: ANN, tags: [TAG], subscribe: [], expiresAt: NOW, tokenExpiresAt: NOW },
};
const ROW = { ...CONNECTION, revision: 1, changes: [] };
const CHANGE: TagChange = {
  verb: "add",
  ...{ tags: [TAG], mark: MARK, takesOver: [], tagLimit: 200 },
  spending: { kind: "restart", until: NOW },
};
const job = aJob();

describe("a table that is not there is a fault that says what could not be done", () => {
  test.each<[string, (stores: Stores) => unknown]>([
    ["claiming a receipt", ({ receipts }) => receipts.claim(job, lease("a"), NOW)],
    ["settling a receipt", ({ receipts }) => receipts.settle(job, "a", delivered(1), NOW)],
    ["reading a receipt", ({ receipts }) => receipts.withdrawal(job)],
    ["cancelling a receipt", ({ receipts }) => receipts.cancel(ANN, job.message.id, NOW)],
    ["reading a receipt", ({ receipts }) => receipts.find(ANN, job.message.id, NOW)],
    ["reading subscriptions", ({ subscriptions: s }) => s.page(TAG, { ...WHOLE, limit: 1, now: NOW })],
    ["reading subscriptions", ({ subscriptions: s }) => s.filterHolders(TAG, [{ ...HOLDER, key: "k" }], NOW)],
    ["writing subscriptions", ({ subscriptions: s }) => s.add([TAG], HOLDER, NOW)],
    ["deleting subscriptions", ({ subscriptions: s }) => s.remove([TAG], HOLDER)],
    ["reading a connection", ({ connections }) => connections.find(HOLDER.connectionId, NOW)],
    ["writing a connection", ({ connections }) => connections.put(CONNECTION)],
    ["writing a connection", ({ connections }) => connections.change(ROW, CHANGE)],
    ["writing a connection", ({ connections }) => connections.settle(ROW, MARK)],
    ["deleting a connection", ({ connections }) => connections.delete(HOLDER)],
  ])("%s", async (what, call) => {
    const stores = await storesOver(() => fault("ResourceNotFoundException", "no such table"));
    await expect((async () => call(stores))()).rejects.toMatchObject({
      ...{ code: "TABLE_UNAVAILABLE", message: `${what} failed: no such table` },
      cause: { name: "ResourceNotFoundException" },
    });
  });
});

test("a receipt that others change whenever it is looked at is given up after four looks", async () => {
  const { receipts, calls } = await storesOver((request) =>
    operationOf(request) === "GetItem" ? json({}) : fault("ConditionalCheckFailedException", "changed"),
  );
  await expect(receipts.claim(job, lease("a"), NOW)).rejects.toMatchObject({
    code: "TABLE_UNAVAILABLE",
    message: expect.stringContaining(`the receipt of ${job.message.id} keeps changing`),
  });
  expect(calls).toEqual(Array(4).fill(["PutItem", "GetItem"]).flat());
});

test("what a table answers without any rows is no row and no more to read", async () => {
  const { receipts, connections, subscriptions } = await storesOver(() => json({}));
  expect(await receipts.find(ANN, job.message.id, NOW)).toBeUndefined();
  expect(await receipts.withdrawal(job)).toBeUndefined();
  expect(await connections.find(HOLDER.connectionId, NOW)).toBeUndefined();
  expect(await connections.delete(HOLDER)).toBeUndefined();
  const page = { ...WHOLE, limit: 1, now: NOW };
  expect(await subscriptions.page(TAG, page)).toEqual({ rows: [], read: 0 });
  expect(await subscriptions.filterHolders(TAG, [{ ...HOLDER, key: "k" }], NOW)).toEqual(new Set());
});

test.each([
  { what: "writes", call: ({ subscriptions }: Stores) => subscriptions.add([TAG], HOLDER, NOW) },
  {
    what: "keys",
    call: ({ subscriptions }: Stores) => subscriptions.filterHolders(TAG, [{ ...HOLDER, key: "k" }], NOW),
  },
])("$what that stay unprocessed are a fault that counts them", async ({ what, call }) => {
  const left = what === "keys" ? { Keys: [{ tag: { S: TAG }, key: { S: "k" } }] } : [{ DeleteRequest: {} }];
  const stores = await storesOver(() =>
    json({ UnprocessedKeys: { subscriptions: left }, UnprocessedItems: { subscriptions: left } }),
  );
  await expect((async () => call(stores))()).rejects.toMatchObject({
    code: "TABLE_UNAVAILABLE",
    message: expect.stringContaining("1 of 1 items stayed unprocessed"),
  });
  expect(stores.calls.length).toBeGreaterThan(1);
});

test("of a list whose every write was throttled it is known that it was not written", async () => {
  const { subscriptions } = await storesOver(() => fault("ThrottlingException", "no capacity"));
  await expect(subscriptions.add([TAG], HOLDER, NOW)).rejects.toMatchObject({
    code: "TABLE_UNAVAILABLE",
    tags: [TAG],
  });
});
