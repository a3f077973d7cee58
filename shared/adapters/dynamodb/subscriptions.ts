import {
  type AttributeValue,
  BatchGetItemCommand,
  BatchWriteItemCommand,
  DeleteItemCommand,
  type DynamoDBClient,
  QueryCommand,
  type WriteRequest,
} from "@aws-sdk/client-dynamodb";
import { type ListParts, ONE_PART, partitionKeysAt } from "../../connections/list-parts.ts";
import type { Clock, IndexEntry, Page, Random, Subscriptions } from "../../ports.ts";
import type { ConnectionId, Tag } from "../../protocol/tag.ts";
import { after, sortKey } from "../../receipts/hash-range.ts";
import { chunks, ifHolds, onTable } from "../sdk/client.ts";
import { type PageQuery, pageOfList } from "./list-page.ts";
import { inRounds, type RoundsDeps } from "./unprocessed.ts";

type Row = Record<string, AttributeValue>;

export interface SubscriptionsDeps {
  readonly client: DynamoDBClient;
  readonly table: string;
  readonly clock: Clock;
  readonly random: Random;
  /** How long a call goes on with what the table leaves unprocessed, in milliseconds. */
  readonly patience: () => number;
  /** Which lists lie on several partition keys. @default none */
  readonly parts?: ListParts;
}

/** The version that rows are written with. Rows without one are of version 0, which had the same attributes. */
const VERSION = { N: "1" };

const NAMES = { "#key": "key", "#ttl": "ttl" };

/** Tag lists as a DynamoDB table: partition key `tag`, or one of several for a list that is spread; sort key `key`. */
export function dynamoSubscriptions(deps: SubscriptionsDeps): Subscriptions {
  const { client, table, clock, random, patience, parts = ONE_PART } = deps;
  const rounds = (): RoundsDeps => ({ clock, random, deadlineMs: clock.monotonic() + patience() });
  const keyOf = (tag: Tag, row: Pick<IndexEntry, "key" | "connectedAt">) => ({
    tag: { S: parts.partitionKey(tag, row) },
    key: { S: row.key },
  });
  const readKey = async (
    partitionKey: string,
    { from, to, limit }: PageQuery,
    now: number,
  ): Promise<Page> => {
    const {
      Items = [],
      ScannedCount = 0,
      LastEvaluatedKey,
    } = await client.send(
      new QueryCommand({
        TableName: table,
        ConsistentRead: true,
        KeyConditionExpression: "tag = :tag AND #key BETWEEN :from AND :to",
        FilterExpression: "#ttl > :now",
        ProjectionExpression: "#key, connectedAt",
        ExpressionAttributeNames: NAMES,
        ExpressionAttributeValues: {
          ":tag": { S: partitionKey },
          ":from": { S: from },
          ":to": { S: to },
          ":now": seconds(now),
        },
        Limit: limit,
      }),
    );
    const last = LastEvaluatedKey?.["key"]?.S;
    const next = last === undefined ? to : after(last);
    // BETWEEN takes its upper bound in.
    const rows = Items.map(indexEntry).filter(({ key }) => key < to);
    return { rows, read: ScannedCount, ...(next < to ? { next } : {}) };
  };
  return {
    page: (tag, { now, ...query }) =>
      onTable("reading subscriptions", () => {
        const read = (partitionKey: string, part: PageQuery) => readKey(partitionKey, part, now);
        return pageOfList(read, tag, parts.countsAt(tag, clock.now()), query);
      }),
    filterHolders: (tag, rows, now) =>
      onTable("reading subscriptions", async () => {
        const times = new Map(rows.map((row) => [row.key, row.connectedAt]));
        const keys = rows.flatMap(({ key }) =>
          partitionKeysAt(parts, tag, key, clock.now()).map((each) => ({
            tag: { S: each },
            key: { S: key },
          })),
        );
        const limits = rounds();
        const found: Row[] = [];
        const get = async (Keys: readonly Row[]) => {
          const request = { Keys: [...Keys], ConsistentRead: true };
          const { Responses, UnprocessedKeys } = await client.send(
            new BatchGetItemCommand({ RequestItems: { [table]: request } }),
          );
          found.push(...(Responses?.[table] ?? []));
          return UnprocessedKeys?.[table]?.Keys ?? [];
        };
        await allOver(chunks(keys, 100).map((chunk) => inRounds(limits, chunk, get)));
        const newest = new Map<string, Row>();
        for (const row of found) {
          const { key, connectedAt } = indexEntry(row);
          if (connectedAt >= Number(newest.get(key)?.["connectedAt"]?.N ?? 0)) newest.set(key, row);
        }
        const holds = ([key, row]: readonly [string, Row]) =>
          times.get(key) === indexEntry(row).connectedAt && Number(row["ttl"]?.N) > Math.floor(now / 1000);
        return new Set([...newest].filter(holds).map(([key]) => key));
      }),
    add: (tags, { connectionId, connectedAt }, expiresAt) =>
      onTable("writing subscriptions", async () => {
        const key = sortKey(connectionId);
        const puts = [...new Set(tags)].map((tag) => ({
          PutRequest: {
            Item: {
              ...keyOf(tag, { key, connectedAt }),
              connectedAt: { N: String(connectedAt) },
              ttl: seconds(expiresAt),
              v: VERSION,
            },
          },
        }));
        const limits = rounds();
        const write = async (some: readonly WriteRequest[]) => {
          const { UnprocessedItems } = await client.send(
            new BatchWriteItemCommand({ RequestItems: { [table]: [...some] } }),
          );
          return UnprocessedItems?.[table] ?? [];
        };
        await allOver(chunks<WriteRequest>(puts, 25).map((chunk) => inRounds(limits, chunk, write)));
      }),
    remove: (tags, { connectionId, connectedAt }) =>
      onTable("deleting subscriptions", async () => {
        const key = sortKey(connectionId);
        const deletes = tags.map((tag) =>
          ifHolds(() =>
            client.send(
              new DeleteItemCommand({
                TableName: table,
                Key: keyOf(tag, { key, connectedAt }),
                ConditionExpression: "connectedAt = :at",
                ExpressionAttributeValues: { ":at": { N: String(connectedAt) } },
              }),
            ),
          ),
        );
        await allOver(deletes);
      }),
  };
}

const seconds = (milliseconds: number) => ({ N: String(Math.floor(milliseconds / 1000)) });

function indexEntry(row: Row): IndexEntry {
  const key = row["key"]?.S ?? "";
  return {
    key,
    connectionId: key.slice(key.indexOf("#") + 1) as ConnectionId,
    connectedAt: Number(row["connectedAt"]?.N),
  };
}

/** Waits for all, the failed ones too, so that nothing is written after the caller knows of a fault. */
async function allOver(calls: readonly Promise<unknown>[]): Promise<void> {
  const failed = (await Promise.allSettled(calls)).find(({ status }) => status === "rejected");
  if (failed?.status === "rejected") throw failed.reason;
}
