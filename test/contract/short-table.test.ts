import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CREDENTIALS, REGION } from "../../local/twin/emulators/aws.ts";
import { dynamoConnections } from "../../shared/adapters/dynamodb/connections.ts";
import { dynamoReceipts } from "../../shared/adapters/dynamodb/receipts.ts";
import { dynamoStreams } from "../../shared/adapters/dynamodb/streams.ts";
import { dynamoSubscriptions } from "../../shared/adapters/dynamodb/subscriptions.ts";
import { memoryClock } from "../../testing/memory/clock.ts";
import { type CheckedTables, startCheckedTables } from "../support/tables.ts";
import { tableContracts } from "./tables.ts";

let tables: CheckedTables;
let client: DynamoDBClient;
beforeAll(async () => {
  tables = await startCheckedTables();
  client = new DynamoDBClient({ endpoint: tables.busyEndpoint, region: REGION, credentials: CREDENTIALS });
});
afterAll(async () => {
  client.destroy();
  await tables.stop();
});

describe("in DynamoDB that is short of capacity", () => {
  tableContracts({
    connections: () => dynamoConnections(client, tables.names.connections),
    receipts: () => dynamoReceipts({ client, table: tables.names.receipts, days: 15 }),
    streams: () => dynamoStreams(client, tables.names.streams),
    subscriptions: () =>
      dynamoSubscriptions({
        ...{ client, table: tables.names.subscriptions, clock: memoryClock(), random: () => 0.5 },
        patience: () => Number.MAX_SAFE_INTEGER,
      }),
  });

  test("every signature was valid, and the tables were short", () => {
    expect(tables.refusals).toEqual([]);
    expect(tables.busy.unprocessed).toBeGreaterThan(0);
    expect(tables.busy.throttled).toBeGreaterThan(0);
  });
});
