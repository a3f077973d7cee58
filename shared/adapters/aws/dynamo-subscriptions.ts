import {
  type AttributeValue,
  BatchGetItemCommand,
  BatchWriteItemCommand,
  DeleteItemCommand,
  type DynamoDBClient,
  QueryCommand,
} from "@aws-sdk/client-dynamodb";
import { TagwireError } from "../../domain/errors.ts";
import { after, sortKey } from "../../domain/hash-range.ts";
import type { ConnectionId, Tag } from "../../domain/tag.ts";
import type { Posting, Subscriptions } from "../../ports.ts";
import { chunks, ifHolds, onTable } from "./client.ts";

type Row = Record<string, AttributeValue>;

const NAMES = { "#key": "key", "#ttl": "ttl" };

/** Tag lists as a DynamoDB table: partition key `tag`, sort key `key`. */
export function dynamoSubscriptions(client: DynamoDBClient, table: string): Subscriptions {
  return {
    page: (tag, { from, to, limit, now }) =>
      onTable("reading subscriptions", async () => {
        const { Items = [], LastEvaluatedKey } = await client.send(
          new QueryCommand({
            TableName: table,
            ConsistentRead: true,
            KeyConditionExpression: "tag = :tag AND #key BETWEEN :from AND :to",
            FilterExpression: "#ttl > :now",
            ProjectionExpression: "#key, connectedAt",
            ExpressionAttributeNames: NAMES,
            ExpressionAttributeValues: {
              ":tag": { S: tag },
              ":from": { S: from },
              ":to": { S: to },
              ":now": seconds(now),
            },
            Limit: limit,
          }),
        );
        const last = LastEvaluatedKey?.["key"]?.S;
        // BETWEEN takes its upper bound in.
        const rows = Items.map(posting).filter(({ key }) => key < to);
        return { rows, ...(last === undefined ? {} : { next: after(last) }) };
      }),
    among: (tag, rows, now) =>
      onTable("reading subscriptions", async () => {
        const times = new Map(rows.map((row) => [row.key, row.connectedAt]));
        const keys = rows.map(({ key }) => ({ tag: { S: tag }, key: { S: key } }));
        const found = await Promise.all(chunks(keys, 100).map((chunk) => getAll(client, table, chunk)));
        const live = found.flat().filter((row) => {
          const { key, connectedAt } = posting(row);
          return times.get(key) === connectedAt && Number(row["ttl"]?.N) > Math.floor(now / 1000);
        });
        return new Set(live.map((row) => posting(row).key));
      }),
    add: (tags, { connectionId, connectedAt }, expiresAt) =>
      onTable("writing subscriptions", async () => {
        const puts = [...new Set(tags)].map((tag) => ({
          PutRequest: {
            Item: {
              ...keyOf(tag, connectionId),
              connectedAt: { N: String(connectedAt) },
              ttl: seconds(expiresAt),
            },
          },
        }));
        await Promise.all(chunks(puts, 25).map((chunk) => writeAll(client, table, chunk)));
      }),
    remove: (tags, { connectionId, connectedAt }) =>
      onTable("deleting subscriptions", async () => {
        const deletes = tags.map((tag) =>
          ifHolds(() =>
            client.send(
              new DeleteItemCommand({
                TableName: table,
                Key: keyOf(tag, connectionId),
                ConditionExpression: "connectedAt = :at",
                ExpressionAttributeValues: { ":at": { N: String(connectedAt) } },
              }),
            ),
          ),
        );
        await Promise.all(deletes);
      }),
  };
}

const keyOf = (tag: Tag, connectionId: string) => ({ tag: { S: tag }, key: { S: sortKey(connectionId) } });
const seconds = (milliseconds: number) => ({ N: String(Math.floor(milliseconds / 1000)) });

function posting(row: Row): Posting {
  const key = row["key"]?.S ?? "";
  return {
    key,
    connectionId: key.slice(key.indexOf("#") + 1) as ConnectionId,
    connectedAt: Number(row["connectedAt"]?.N),
  };
}

/** DynamoDB may leave part of a batch undone; so many calls in a row that leave some are a fault. */
const ROUNDS = 8;

async function getAll(client: DynamoDBClient, table: string, keys: Row[]): Promise<Row[]> {
  const rows: Row[] = [];
  let left = keys;
  for (let round = 0; round < ROUNDS; round++) {
    const request = { Keys: left, ConsistentRead: true };
    const { Responses, UnprocessedKeys } = await client.send(
      new BatchGetItemCommand({ RequestItems: { [table]: request } }),
    );
    rows.push(...(Responses?.[table] ?? []));
    left = UnprocessedKeys?.[table]?.Keys ?? [];
    if (left.length === 0) return rows;
  }
  throw new TagwireError("TABLE_UNAVAILABLE", `${left.length} keys stayed unread`);
}

type Put = { readonly PutRequest: { readonly Item: Row } };

async function writeAll(client: DynamoDBClient, table: string, puts: Put[]): Promise<void> {
  let left: Put[] = puts;
  for (let round = 0; round < ROUNDS; round++) {
    const { UnprocessedItems } = await client.send(
      new BatchWriteItemCommand({ RequestItems: { [table]: left } }),
    );
    left = (UnprocessedItems?.[table] ?? []) as Put[];
    if (left.length === 0) return;
  }
  throw new TagwireError("TABLE_UNAVAILABLE", `${left.length} rows stayed unwritten`);
}
