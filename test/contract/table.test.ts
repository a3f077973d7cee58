import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { CREDENTIALS, REGION } from "../../local/emulators/aws.ts";
import { dynamoConnections } from "../../shared/adapters/dynamodb/connections.ts";
import { dynamoReceipts } from "../../shared/adapters/dynamodb/receipts.ts";
import { dynamoSubscriptions } from "../../shared/adapters/dynamodb/subscriptions.ts";
import type { ConnectionId, Tag } from "../../shared/protocol/tag.ts";
import { WHOLE } from "../../shared/receipts/hash-range.ts";
import { memoryClock } from "../../testing/memory/clock.ts";
import { memoryConnections } from "../../testing/memory/connections.ts";
import { memoryReceipts } from "../../testing/memory/receipts.ts";
import { memorySubscriptions } from "../../testing/memory/subscriptions.ts";
import { NOW } from "../support/message.ts";
import { type CheckedTables, startCheckedTables } from "../support/tables.ts";
import { connectionsContract } from "./connections.ts";
import { ANN, aJob, delivered, lease } from "./receipt-parts.ts";
import { receiptsContract } from "./receipts.ts";
import { receiptsCancelContract } from "./receipts-cancel.ts";
import { receiptsDeathsContract } from "./receipts-deaths.ts";
import { receiptsSplitContract } from "./receipts-split.ts";
import { subscriptionsContract } from "./subscriptions.ts";

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

const subscriptionsOf = (using: DynamoDBClient) =>
  dynamoSubscriptions({
    client: using,
    table: tables.names.subscriptions,
    clock: memoryClock(),
    random: () => 0.5,
    patience: () => Number.MAX_SAFE_INTEGER,
  });

const STORES = [
  {
    name: "memory",
    connections: memoryConnections,
    receipts: memoryReceipts,
    subscriptions: memorySubscriptions,
  },
  {
    name: "DynamoDB",
    connections: () => dynamoConnections(client, tables.names.connections),
    receipts: () => dynamoReceipts({ client, table: tables.names.receipts, days: 15 }),
    subscriptions: () => subscriptionsOf(client),
  },
];

describe.each(STORES)("in $name", ({ connections, receipts, subscriptions }) => {
  describe("connections", () => connectionsContract(connections));
  describe("receipts", () => {
    receiptsContract(receipts);
    describe("of split messages", () => receiptsSplitContract(receipts));
    describe("of cancelled messages", () => receiptsCancelContract(receipts));
    describe("of messages whose runs died", () => receiptsDeathsContract(receipts));
  });
  describe("subscriptions", () => subscriptionsContract(subscriptions));
});

describe("in DynamoDB alone", () => {
  test("every signature was valid", () => {
    expect(tables.refusals).toEqual([]);
  });

  test("a new job is claimed with one write, and only a conflict costs a read", async () => {
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
    const receipts = dynamoReceipts({ client, table: tables.names.receipts, days: 15 });
    const job = aJob();
    await receipts.claim(job, lease("a"), NOW);
    expect(calls).toEqual(["PutItemCommand"]);
    await receipts.claim(job, lease("b"), NOW);
    expect(calls).toEqual(["PutItemCommand", "PutItemCommand", "GetItemCommand"]);
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
      receipts.isCancelled(aJob()),
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
    ];
    const failed = { code: "TABLE_UNAVAILABLE", cause: expect.any(Error) };
    for (const result of await Promise.allSettled(calls)) {
      expect(result).toMatchObject({ status: "rejected", reason: failed });
    }
  });
});
