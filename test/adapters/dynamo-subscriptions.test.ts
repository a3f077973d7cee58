import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { expect, onTestFinished, test } from "vitest";
import { CREDENTIALS, REGION } from "../../local/twin/emulators/aws.ts";
import { startTables } from "../../local/twin/emulators/table.ts";
import { dynamoSubscriptions } from "../../shared/adapters/dynamodb/subscriptions.ts";
import { listParts, ONE_PART } from "../../shared/connections/list-parts.ts";
import { UnlistedError } from "../../shared/connections/unlisted-error.ts";
import type { ConnectionId, Tag } from "../../shared/protocol/tag.ts";
import { WHOLE } from "../../shared/receipts/hash-range.ts";
import { memoryClock } from "../../testing/memory/clock.ts";
import { type TableFrontOptions, tableFront } from "../../testing/table-front.ts";
import { NOW } from "../support/message.ts";

const HOLDER = { connectionId: "c=" as ConnectionId, connectedAt: NOW };
const tags = (count: number) => Array.from({ length: count }, (_, i) => `topic:t${i}` as Tag);

async function open(options: TableFrontOptions, patience: number, parts = ONE_PART) {
  const tables = await startTables();
  const front = await tableFront(tables, options);
  const client = new DynamoDBClient({ endpoint: front.endpoint, region: REGION, credentials: CREDENTIALS });
  onTestFinished(async () => {
    client.destroy();
    await front.stop();
    await tables.stop();
  });
  const clock = memoryClock(NOW);
  const table = tables.names.subscriptions;
  const random = () => 0.9;
  return {
    clock,
    subscriptions: dynamoSubscriptions({ client, table, clock, random, parts, patience: () => patience }),
  };
}

test("a fault of one batch is told only when no other writes any more", async () => {
  let batches = 0;
  const refuses = (operation: string) => operation === "BatchWriteItem" && ++batches === 1;
  const { clock, subscriptions } = await open({ refuses, hasCapacity: () => false }, 5_000);
  await expect(subscriptions.add(tags(60), HOLDER, NOW + 60_000)).rejects.toMatchObject({
    code: "TABLE_UNAVAILABLE",
  });
  // Had it not waited for the other two, their rounds would still go on.
  expect(clock.monotonic()).toBeGreaterThan(3_900);
});

test.each([
  1, 2, 3,
])("a fault of call %i of three is one of the whole, of writes and of deletes", async (bad) => {
  let calls = 0;
  const { subscriptions } = await open({ refuses: () => ++calls === bad }, 5_000);
  await expect(subscriptions.add(tags(60), HOLDER, NOW + 60_000)).rejects.toMatchObject({
    code: "TABLE_UNAVAILABLE",
  });
  calls = 0;
  await expect(subscriptions.remove(tags(3), HOLDER)).rejects.toMatchObject({ code: "TABLE_UNAVAILABLE" });
});

test("keys that stay unread are a fault when the patience is over, and never missing from an answer", async () => {
  let capacity = true;
  const { subscriptions } = await open({ hasCapacity: () => capacity }, 5_000);
  const [tag = "topic:none" as Tag] = tags(1);
  await subscriptions.add([tag], HOLDER, NOW + 60_000);
  const { rows } = await subscriptions.page(tag, { from: "0", to: "g", limit: 10, now: NOW });
  expect((await subscriptions.filterHolders(tag, rows, NOW)).size).toBe(1);
  capacity = false;
  await expect(subscriptions.filterHolders(tag, rows, NOW)).rejects.toMatchObject({
    code: "TABLE_UNAVAILABLE",
  });
});

test("a fault names the lists that the table has refused to write", async () => {
  const { subscriptions } = await open({ hasCapacity: () => false }, 5_000);
  const fault = await subscriptions.add(tags(4), HOLDER, NOW + 60_000).catch((it) => it);
  expect(fault).toBeInstanceOf(UnlistedError);
  const held = await Promise.all(
    tags(4).map(async (tag) => (await subscriptions.page(tag, { ...WHOLE, limit: 9, now: NOW })).rows.length),
  );
  expect(tags(4).filter((_, i) => held[i] === 0)).toEqual(fault.tags);
  expect(fault.tags.length).toBeGreaterThan(0);
});

test("of a call without an answer no list counts as unwritten", async () => {
  const { subscriptions } = await open({ refuses: (operation) => operation === "BatchWriteItem" }, 5_000);
  const fault = await subscriptions.add(tags(4), HOLDER, NOW + 60_000).catch((it) => it);
  expect(fault).toMatchObject({ code: "TABLE_UNAVAILABLE", tags: [] });
});

test.each([
  { why: "hold", now: NOW },
  { why: "ended, as a disconnect of a user asks for them", now: 0 },
])("rows of a list that is spread since yesterday are found, those whose tokens $why", async ({ now }) => {
  const since = new Date(NOW - 86_400_000).toISOString().replace(/\.\d+/, "");
  const parts = listParts([{ tag: "user:ann", hashBits: 3, hashBitsBefore: 0, since }]);
  const { subscriptions } = await open({}, 5_000, parts);
  const ANN = "user:ann" as Tag;
  const ids = Array.from({ length: 5 }, (_, i) => `c${i}=` as ConnectionId);
  for (const connectionId of ids)
    await subscriptions.add([ANN], { connectionId, connectedAt: NOW }, NOW + 60_000);
  const { rows } = await subscriptions.page(ANN, { ...WHOLE, limit: 9, now });
  expect(rows.map(({ connectionId }) => connectionId).sort()).toEqual(ids);
});
