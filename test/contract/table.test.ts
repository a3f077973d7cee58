import { randomUUID } from "node:crypto";
import { DynamoDBClient, QueryCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { CREDENTIALS, REGION } from "../../local/twin/emulators/aws.ts";
import { dynamoConnections } from "../../shared/adapters/dynamodb/connections.ts";
import { dynamoReceipts } from "../../shared/adapters/dynamodb/receipts.ts";
import { dynamoStreams } from "../../shared/adapters/dynamodb/streams.ts";
import { dynamoSubscriptions } from "../../shared/adapters/dynamodb/subscriptions.ts";
import { type ListParts, partitionKeyOf } from "../../shared/connections/list-parts.ts";
import type { ConnectionId, Tag } from "../../shared/protocol/tag.ts";
import { partOf, WHOLE } from "../../shared/receipts/hash-range.ts";
import { memoryClock } from "../../testing/memory/clock.ts";
import { memoryConnections } from "../../testing/memory/connections.ts";
import { memoryReceipts } from "../../testing/memory/receipts.ts";
import { memoryStreams } from "../../testing/memory/streams.ts";
import { memorySubscriptions } from "../../testing/memory/subscriptions.ts";
import { NOW } from "../support/message.ts";
import { type CheckedTables, startCheckedTables } from "../support/tables.ts";
import { ANN, aJob, delivered, lease, RANGES } from "./receipt-parts.ts";
import { subscriptionsContract } from "./subscriptions.ts";
import { tableContracts } from "./tables.ts";

let tables: CheckedTables;
let client: DynamoDBClient;
beforeAll(async () => {
  tables = await startCheckedTables();
  client = new DynamoDBClient({ endpoint: tables.endpoint, region: REGION, credentials: CREDENTIALS });
});
afterAll(async () => {
  client.destroy();
  await tables.stop();
});

const subscriptionsOf = (using: DynamoDBClient, parts?: ListParts) =>
  dynamoSubscriptions({
    ...(parts ? { parts } : {}),
    client: using,
    table: tables.names.subscriptions,
    clock: memoryClock(),
    random: () => 0.5,
    patience: () => Number.MAX_SAFE_INTEGER,
  });

/** The commands that the client sends from now on, until the end of the test. */
function countedCalls(): string[] {
  const calls: string[] = [];
  client.middlewareStack.add(
    (next, { commandName = "" }) =>
      (args) => {
        calls.push(commandName);
        return next(args);
      },
    { step: "initialize", name: "count" },
  );
  onTestFinished(() => void client.middlewareStack.remove("count"));
  return calls;
}

const STORES = [
  {
    name: "memory",
    connections: memoryConnections,
    receipts: memoryReceipts,
    streams: memoryStreams,
    subscriptions: memorySubscriptions,
  },
  {
    name: "DynamoDB",
    connections: () => dynamoConnections(client, tables.names.connections),
    receipts: () => dynamoReceipts({ client, table: tables.names.receipts, days: 15 }),
    streams: () => dynamoStreams(client, tables.names.streams),
    subscriptions: () => subscriptionsOf(client),
  },
];

describe.each(STORES)("in $name", tableContracts);

describe.each([
  { counts: [2], changed: "two partition keys" },
  { counts: [8], changed: "eight partition keys" },
  { counts: [8, 1], changed: "eight, and those of before on one" },
  { counts: [1, 8], changed: "one, and those of before on eight" },
])("subscriptions in DynamoDB, of which every list lies on $changed", ({ counts }) => {
  const [now = 1, before = now] = counts;
  subscriptionsContract(() =>
    subscriptionsOf(client, {
      partitionKey: (tag, { key, connectedAt }) => {
        const parts = connectedAt > NOW ? now : before;
        return partitionKeyOf(tag, partOf(key, parts), parts);
      },
      countsAt: () => counts,
    }),
  );
});

describe("in DynamoDB alone", () => {
  test("every signature was valid", () => {
    expect(tables.refusals).toEqual([]);
  });

  test("a new job is claimed with one write, and only a conflict costs a read", async () => {
    const calls = countedCalls();
    const receipts = dynamoReceipts({ client, table: tables.names.receipts, days: 15 });
    const job = aJob();
    await receipts.claim(job, lease("a"), NOW);
    expect(calls).toEqual(["PutItemCommand"]);
    await receipts.claim(job, lease("b"), NOW);
    expect(calls).toEqual(["PutItemCommand", "PutItemCommand", "GetItemCommand"]);
  });

  test.each([
    { of: "a message", days: 15 },
    { of: "a message whose receipt keeps failures only", keeps: "failures", days: 1 },
    { of: "a part of one", keeps: "failures", range: RANGES[0], days: 15 },
  ] as const)("the row that a claim writes of $of goes after $days days", async ({ days, ...of }) => {
    const receipts = dynamoReceipts({ client, table: tables.names.receipts, days: 15 });
    const { message } = aJob();
    const job = {
      message: "keeps" in of ? { ...message, keeps: of.keeps } : message,
      ...("range" in of ? { range: of.range } : {}),
    };
    // A day counts from the end of the visibility timeout, since its message may be back until then.
    const { returnsAt } = lease("a");
    const seconds = (days === 1 ? returnsAt : NOW) / 1000 + days * 86_400;
    await receipts.claim(job, lease("a"), NOW);
    const { Items } = await client.send(
      new QueryCommand({
        TableName: tables.names.receipts,
        ConsistentRead: true,
        KeyConditionExpression: "#message = :message",
        ExpressionAttributeNames: { "#message": "message" },
        ExpressionAttributeValues: { ":message": { S: `${ANN}#${message.id}` } },
      }),
    );
    expect(Items?.map(({ ttl }) => Number(ttl?.N))).toEqual([seconds]);
  });

  test("a claim does not take a job whose run ended it after the claim had read its row", async () => {
    const receipts = dynamoReceipts({ client, table: tables.names.receipts, days: 15 });
    const job = aJob();
    await receipts.claim(job, lease("thawed"), NOW);
    const returned = lease("b", { receive: 2, until: NOW + 480_000, returnsAt: NOW + 720_000 });
    const later = NOW + 400_000;
    expect(await receipts.claim(job, returned, later)).toEqual({ kind: "suspect", deaths: 1 });
    let thaw = async (): Promise<unknown> => receipts.settle(job, "thawed", delivered(1), later);
    const between = {
      async send(command: { constructor: { name: string } }) {
        if (command.constructor.name === "UpdateItemCommand") {
          await thaw();
          thaw = async () => undefined;
        }
        return client.send(command as never);
      },
    } as unknown as DynamoDBClient;
    const slower = dynamoReceipts({ client: between, table: tables.names.receipts, days: 15 });
    expect(await slower.claim(job, { ...returned, suspects: true }, later)).toEqual({
      kind: "over",
      why: "ended",
    });
  });

  test("an append is one write, and the row in its way is no read where the table returns it", async () => {
    const calls = countedCalls();
    const streams = dynamoStreams(client, tables.names.streams);
    const stream = `topic:${randomUUID()}` as Tag;
    const times = { at: NOW, until: NOW + 1_000, expiresAt: NOW + 1_000 };
    const row = { seq: 5, next: 6, messages: ["{}"], ...times };
    await streams.append(stream, row);
    expect(calls).toEqual(["PutItemCommand"]);
    expect(await streams.append(stream, { ...row, run: "r" })).toEqual(row);
    const returned = process.env["TAGWIRE_DYNAMODB"] ? [] : ["GetItemCommand"];
    expect(calls).toEqual(["PutItemCommand", "PutItemCommand", ...returned]);
  });

  test("a table that cannot be reached is a fault with a name and a cause", async () => {
    const unreachable = new DynamoDBClient({
      endpoint: "http://127.0.0.1:1",
      region: REGION,
      credentials: CREDENTIALS,
      maxAttempts: 1,
    });
    onTestFinished(() => unreachable.destroy());
    const receipts = dynamoReceipts({ client: unreachable, table: "receipts", days: 15 });
    const subscriptions = subscriptionsOf(unreachable);
    const connections = dynamoConnections(unreachable, "connections");
    const streams = dynamoStreams(unreachable, "streams");
    const stored = { seq: 0, next: 1, messages: [], at: NOW, until: NOW, expiresAt: NOW };
    const holder = { connectionId: "c=" as ConnectionId, connectedAt: NOW };
    const tag = "topic:orders" as Tag;
    const mark = { id: "m", startedAt: NOW, tags: [tag] };
    const times = { expiresAt: NOW, tokenExpiresAt: NOW };
    const row = { ...holder, ...times, user: ANN, tags: [], subscribe: [], revision: 1, changes: [] };
    const spending = { kind: "restart", until: NOW } as const;
    const change = { verb: "add", tags: [tag], mark, takesOver: [], tagLimit: 200, spending } as const;
    const calls = [
      receipts.claim(aJob(), lease("a"), NOW),
      receipts.settle(aJob(), "a", delivered(1), NOW),
      receipts.withdrawal(aJob()),
      receipts.cancel(ANN, aJob().message.id, NOW),
      receipts.find(ANN, aJob().message.id, NOW),
      subscriptions.page(tag, { ...WHOLE, limit: 1, now: NOW }),
      subscriptions.filterHolders(tag, [{ ...holder, key: "k" }], NOW),
      subscriptions.add([tag], holder, NOW),
      subscriptions.remove([tag], holder),
      connections.find(holder.connectionId, NOW),
      connections.read(holder.connectionId, NOW),
      connections.change(row, change),
      connections.settle(row, mark),
      connections.delete(holder),
      streams.last(tag),
      streams.root(tag),
      streams.read(tag, 1, 2),
      streams.append(tag, stored),
      streams.start(tag, stored, undefined),
      streams.empty(tag, { seq: 1, index: 0, run: "r" }),
    ];
    const failed = { code: "TABLE_UNAVAILABLE", cause: expect.any(Error) };
    for (const result of await Promise.allSettled(calls)) {
      expect(result).toMatchObject({ status: "rejected", reason: failed });
    }
  });
});
