import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { describe, expect, onTestFinished, test } from "vitest";
import { CREDENTIALS, REGION } from "../../local/twin/emulators/aws.ts";
import { dynamoConnections } from "../../shared/adapters/dynamodb/connections.ts";
import { dynamoQuotaBeats } from "../../shared/adapters/dynamodb/quota-beats.ts";
import { dynamoReceiptImport } from "../../shared/adapters/dynamodb/receipt-import.ts";
import { dynamoReceipts } from "../../shared/adapters/dynamodb/receipts.ts";
import { dynamoStreams } from "../../shared/adapters/dynamodb/streams.ts";
import { dynamoSubscriptions } from "../../shared/adapters/dynamodb/subscriptions.ts";
import type { TagChange } from "../../shared/connections/connection.ts";
import type { ConnectionId, Tag } from "../../shared/protocol/tag.ts";
import { WHOLE } from "../../shared/receipts/hash-range.ts";
import { NO_DETAILS, type ReceiptRow } from "../../shared/receipts/row.ts";
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
    receiptImport: dynamoReceiptImport(client, "receipts"),
    streams: dynamoStreams(client, "streams"),
    beats: dynamoQuotaBeats({ client, table: "quotas", quota: "q", now: () => NOW }),
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
const STREAM_ROW = { seq: 1, next: 2, messages: ["{}"], at: NOW, until: NOW, expiresAt: NOW };
const BEAT = { id: "a", count: 1, sendsPerSecond: 1, claimedPerSecond: 1, weight: 1, isWaiting: false };
const job = aJob();
const RECEIPT: ReceiptRow = { v: 1, producer: ANN, id: job.message.id, part: "message", updatedAt: NOW };

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
    ["reading the head of a stream", ({ streams }) => streams.last(TAG)],
    ["reading the root of a stream", ({ streams }) => streams.root(TAG)],
    ["reading a stream", ({ streams }) => streams.read(TAG, 1, 2)],
    ["appending to a stream", ({ streams }) => streams.append(TAG, STREAM_ROW)],
    ["starting a stream", ({ streams }) => streams.start(TAG, STREAM_ROW, undefined)],
    ["emptying a message of a stream", ({ streams }) => streams.empty(TAG, { seq: 1, index: 0, run: "a" })],
    ["restoring a receipt", ({ receiptImport: r }) => r.restore(RECEIPT, NO_DETAILS, NOW)],
    ["reading how far an import has come", ({ receiptImport }) => receiptImport.remembered("it")],
    ["writing how far an import has come", ({ receiptImport: r }) => r.remember("it", "half", NOW, 1)],
    ["sharing the quota", ({ beats }) => beats.beat(BEAT)],
    ["reading the shares of the quota", ({ beats }) => beats.read()],
    ["removing an entry of the quota", ({ beats }) => beats.remove(BEAT)],
  ])("%s", async (what, call) => {
    const stores = await storesOver(() => fault("ResourceNotFoundException", "no such table"));
    await expect((async () => call(stores))()).rejects.toMatchObject({
      ...{ code: "TABLE_UNAVAILABLE", message: `${what} failed: no such table` },
      cause: { name: "ResourceNotFoundException" },
    });
  });
});

test("an append that the table refuses is a fault, though no row is in its way", async () => {
  const { streams } = await storesOver((request) =>
    operationOf(request) === "GetItem" ? json({}) : fault("AccessDeniedException", "no grant"),
  );
  await expect(streams.append(TAG, STREAM_ROW)).rejects.toMatchObject({ code: "TABLE_UNAVAILABLE" });
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
