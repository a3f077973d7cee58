import {
  type AttributeValue,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from "@aws-sdk/client-dynamodb";
import type { ReceiptImport } from "../../ports/receipt-import.ts";
import { detailPart, type ReceiptRow } from "../../receipts/row.ts";
import { ifHolds, onTable } from "../sdk/client.ts";
import { type Item, keyOf, namesItem, number } from "./receipt-item.ts";

const seconds = (milliseconds: number) => number(Math.floor(milliseconds / 1000));

/** Sorts after all parts that a receipt is folded from, and no id has a `#`. */
const noteKey = (name: string): Item => ({ message: { S: `#${name}` }, part: { S: "note" } });

/** The table of receipts, for an import. */
export function dynamoReceiptImport(client: DynamoDBClient, table: string): ReceiptImport {
  const put = (Item: Item, condition = {}) =>
    client.send(new PutItemCommand({ TableName: table, Item, ...condition }));
  return {
    restore: (row, details, expiresAt) =>
      onTable("restoring a receipt", async () => {
        const { producer, id, part } = row;
        const ttl = seconds(expiresAt);
        // Before the row: what counts names finds them.
        if (row.details !== undefined)
          await put({ ...namesItem(producer, id, detailPart(part, row.details), details), ttl });
        return ifHolds(() =>
          put(
            { ...itemOf(row), ttl },
            {
              ConditionExpression: "attribute_not_exists(#part)",
              ExpressionAttributeNames: { "#part": "part" },
            },
          ),
        );
      }),
    remembered: (name) =>
      onTable("reading how far an import has come", async () => {
        const { Item } = await client.send(
          new GetItemCommand({ TableName: table, Key: noteKey(name), ConsistentRead: true }),
        );
        return Item?.["note"]?.S;
      }),
    remember: (name, text, now, days) =>
      onTable("writing how far an import has come", async () => {
        await put({ ...noteKey(name), note: { S: text }, ttl: seconds(now + days * 86_400_000) });
      }),
  };
}

/** A whole row as an item: what `rowFrom` reads. */
function itemOf({ producer, id, part, counts, split, ...fields }: ReceiptRow): Item {
  const attributes = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, attributeOf(value)] as const],
  );
  return {
    ...keyOf(producer, id, part),
    ...Object.fromEntries(attributes),
    ...Object.fromEntries(Object.entries(counts ?? {}).map(([name, count]) => [name, number(count)])),
    ...(split ? { split: { S: JSON.stringify(split) } } : {}),
  };
}

function attributeOf(value: string | number | boolean): AttributeValue {
  if (typeof value === "number") return number(value);
  return typeof value === "string" ? { S: value } : { BOOL: value };
}
