import { randomUUID } from "node:crypto";
import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CREDENTIALS, REGION } from "../../local/twin/emulators/aws.ts";
import { dynamoReceiptImport } from "../../shared/adapters/dynamodb/receipt-import.ts";
import { rowFrom } from "../../shared/adapters/dynamodb/receipt-item.ts";
import { dynamoReceipts } from "../../shared/adapters/dynamodb/receipts.ts";
import type { ReceiptImport } from "../../shared/ports/receipt-import.ts";
import type { MessageId } from "../../shared/protocol/message.ts";
import { NO_DETAILS, type ReceiptRow } from "../../shared/receipts/row.ts";
import { memoryReceiptImport } from "../../testing/memory/receipt-import.ts";
import { memoryReceipts } from "../../testing/memory/receipts.ts";
import { receiptRows } from "../moving/arbitrary.ts";
import { NOW } from "../support/message.ts";
import { type CheckedTables, startCheckedTables } from "../support/tables.ts";
import { ANN, again, aJob, delivered, lease, progress } from "./receipt-parts.ts";

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

const UNTIL = NOW + 86_400_000;
const aRow = (fields: Partial<ReceiptRow> = {}): ReceiptRow => ({
  ...{ v: 1, producer: ANN, id: randomUUID() as MessageId, part: "message", updatedAt: NOW },
  ...fields,
});

describe.each([
  { name: "memory", open: memoryReceiptImport },
  { name: "DynamoDB", open: () => dynamoReceiptImport(client, tables.names.receipts) },
])("an import of receipts in $name", ({ open }: { open: () => ReceiptImport }) => {
  test("writes a row once, and leaves what is there", async () => {
    const rows = open();
    const row = aRow();
    expect(await rows.restore(row, NO_DETAILS, UNTIL)).toBe(true);
    expect(await rows.restore({ ...row, reason: "another" }, NO_DETAILS, UNTIL)).toBe(false);
  });

  test("remembers the last text of each name", async () => {
    const rows = open();
    const [name, other] = [randomUUID(), randomUUID()];
    expect(await rows.remembered(name)).toBeUndefined();
    await rows.remember(name, "first", NOW, 14);
    await rows.remember(name, "last", NOW, 14);
    await rows.remember(other, "other", NOW, 14);
    expect([await rows.remembered(name), await rows.remembered(other)]).toEqual(["last", "other"]);
  });
});

describe("in DynamoDB", () => {
  const rowsOf = () => dynamoReceiptImport(client, tables.names.receipts);
  const receiptsOf = () => dynamoReceipts({ client, table: tables.names.receipts, days: 15 });

  test("a row is read as it was, whatever it holds", async () => {
    await fc.assert(
      fc.asyncProperty(receiptRows, async (fields) => {
        const row = { ...fields, id: randomUUID() as MessageId };
        await rowsOf().restore(row, NO_DETAILS, UNTIL);
        const Key = { message: { S: `${row.producer}#${row.id}` }, part: { S: "message" } };
        const { Item = {} } = await client.send(
          new GetItemCommand({ TableName: tables.names.receipts, Key, ConsistentRead: true }),
        );
        expect(rowFrom(Item)).toEqual(row);
        expect(Item["ttl"]).toEqual({ N: String(UNTIL / 1000) });
      }),
      { numRuns: 30 },
    );
  });

  test("a row that was restored behaves as one that runs wrote", async () => {
    const written = memoryReceipts();
    const [done, retried] = [aJob(), aJob()];
    await written.claim(done, lease("a"), NOW);
    await written.settle(done, "a", delivered(1), NOW);
    await written.claim(retried, lease("b"), NOW);
    await written.settle(retried, "b", { kind: "retry", progress, reason: "429" }, NOW);
    const { pending, failed } = progress;
    for (const { message } of [done, retried])
      for (const row of written.rowsOf(ANN, message.id))
        await rowsOf().restore(row, row.details ? { pending, failed } : NO_DETAILS, UNTIL);
    const receipts = receiptsOf();
    expect(await receipts.find(ANN, done.message.id, NOW)).toEqual(
      await written.find(ANN, done.message.id, NOW),
    );
    expect(await receipts.claim(again(done, "second", NOW + 1_000), lease("c"), NOW)).toEqual({
      kind: "over",
      why: "duplicate",
    });
    expect(await receipts.claim(retried, lease("d", { receive: 2 }), NOW)).toEqual({
      kind: "claimed",
      progress,
      deaths: 0,
    });
  });

  test("what an import remembers is no part of a receipt", async () => {
    await rowsOf().remember("import-1", "{}", NOW, 14);
    expect(await receiptsOf().find(ANN, "import-1" as MessageId, NOW)).toBeUndefined();
  });

  test("every signature was valid, and a table that is not there is a fault with a name", async () => {
    expect(tables.refusals).toEqual([]);
    const absent = dynamoReceiptImport(client, "absent");
    const calls = [
      absent.restore(aRow(), NO_DETAILS, UNTIL),
      absent.remembered("n"),
      absent.remember("n", "", NOW, 1),
    ];
    for (const result of await Promise.allSettled(calls))
      expect(result).toMatchObject({ status: "rejected", reason: { code: "TABLE_UNAVAILABLE" } });
  });
});
