import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe } from "vitest";
import { CREDENTIALS, REGION } from "../../local/aws.ts";
import { startTables, type Tables } from "../../local/stand-in/table.ts";
import { dynamoConnections } from "../../shared/adapters/aws/dynamo-connections.ts";
import { dynamoReceipts } from "../../shared/adapters/aws/dynamo-receipts.ts";
import { dynamoSubscriptions } from "../../shared/adapters/aws/dynamo-subscriptions.ts";
import { memoryConnections } from "../../shared/adapters/memory/connections.ts";
import { memoryReceipts } from "../../shared/adapters/memory/receipts.ts";
import { memorySubscriptions } from "../../shared/adapters/memory/subscriptions.ts";
import { connectionsContract } from "./connections.ts";
import { receiptsContract } from "./receipts.ts";
import { subscriptionsContract } from "./subscriptions.ts";

let tables: Tables;
let client: DynamoDBClient;
beforeAll(async () => {
  tables = await startTables();
  client = new DynamoDBClient({ endpoint: tables.endpoint, region: REGION, credentials: CREDENTIALS });
});
afterAll(async () => {
  client.destroy();
  await tables.stop();
});

describe("connections in memory", () => connectionsContract(memoryConnections));
describe("connections in DynamoDB", () =>
  connectionsContract(() => dynamoConnections(client, tables.names.connections)));
describe("receipts in memory", () => receiptsContract(memoryReceipts));
describe("receipts in DynamoDB", () =>
  receiptsContract(() => dynamoReceipts({ client, table: tables.names.receipts, days: 15 })));
describe("subscriptions in memory", () => subscriptionsContract(memorySubscriptions));
describe("subscriptions in DynamoDB", () =>
  subscriptionsContract(() => dynamoSubscriptions(client, tables.names.subscriptions)));
