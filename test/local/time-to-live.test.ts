import { DynamoDBClient, paginateScan } from "@aws-sdk/client-dynamodb";
import { expect, onTestFinished, test } from "vitest";
import { CREDENTIALS, REGION } from "../../local/twin/emulators/aws.ts";
import { startTables } from "../../local/twin/emulators/table.ts";
import { dynamoSubscriptions } from "../../shared/adapters/dynamodb/subscriptions.ts";
import type { ConnectionId, Tag } from "../../shared/protocol/tag.ts";
import { memoryClock } from "../../testing/memory/clock.ts";

test("rows whose time has passed vanish from the tables, and no others", async () => {
  const tables = await startTables();
  const client = new DynamoDBClient({ endpoint: tables.endpoint, region: REGION, credentials: CREDENTIALS });
  onTestFinished(async () => {
    client.destroy();
    await tables.stop();
  });
  const now = Date.parse("2026-01-01T00:00:00Z");
  const subscriptions = dynamoSubscriptions({
    client,
    table: tables.names.subscriptions,
    clock: memoryClock(),
    random: () => 0.5,
    patience: () => 1_000,
  });
  const add = (id: string, expiresAt: number) =>
    subscriptions.add(["topic:a" as Tag], { connectionId: id as ConnectionId, connectedAt: now }, expiresAt);
  await add("old", now + 1_000);
  await add("young", now + 60_000);
  await tables.expire(now + 10_000);
  const left: unknown[] = [];
  const pages = paginateScan({ client }, { TableName: tables.names.subscriptions });
  for await (const { Items = [] } of pages) left.push(...Items.map((item) => item["key"]?.S?.split("#")[1]));
  expect(left).toEqual(["young"]);
});
