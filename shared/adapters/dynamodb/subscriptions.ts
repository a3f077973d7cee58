import {
  type AttributeValue,
  BatchGetItemCommand,
  BatchWriteItemCommand,
  DeleteItemCommand,
  type DynamoDBClient,
  QueryCommand,
  type WriteRequest,
} from "@aws-sdk/client-dynamodb";
import { chunks } from "../../chunks.ts";
import { type ListParts, ONE_PART, partitionKeysAt } from "../../connections/list-parts.ts";
import { UnlistedError } from "../../connections/unlisted-error.ts";
import type { Clock, IndexEntry, Page, Random, Subscriptions } from "../../ports.ts";
import type { ConnectionId, Tag } from "../../protocol/tag.ts";
import { after, sortKey } from "../../receipts/hash-range.ts";
import { ifHolds, onTable } from "../sdk/client.ts";
import { type PageQuery, pageOfList } from "./list-page.ts";
import { inRounds, isThrottled, type RoundsDeps } from "./unprocessed.ts";

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
    add: async (tags, { connectionId, connectedAt }, expiresAt) => {
      const key = sortKey(connectionId);
      /** Tags by partition key, of which the table has no row for sure. */
      const untouched = new Map(
        tags.map((tag) => [parts.partitionKey(tag, { key, connectedAt }), tag] as const),
      );
      const puts = [...untouched.keys()].map((tag) => ({
        PutRequest: {
          Item: {
            ...{ tag: { S: tag }, key: { S: key } },
            connectedAt: { N: String(connectedAt) },
            ttl: seconds(expiresAt),
            v: VERSION,
          },
        },
      }));
      const write = async (some: readonly WriteRequest[]) => {
        const touch = (left: readonly WriteRequest[]) => {
          const kept = new Set(left.map(partitionKeyIn));
          for (const name of some.map(partitionKeyIn)) if (!kept.has(name)) untouched.delete(name);
        };
        try {
          const { UnprocessedItems } = await client.send(
            new BatchWriteItemCommand({ RequestItems: { [table]: [...some] } }),
          );
          const left = UnprocessedItems?.[table] ?? [];
          touch(left);
          return left;
        } catch (fault) {
          if (!isThrottled(fault)) touch([]);
          throw fault;
        }
      };
      const limits = rounds();
      await onTable("writing subscriptions", () =>
        allOver(chunks<WriteRequest>(puts, 25).map((chunk) => inRounds(limits, chunk, write))),
      ).catch((fault: unknown) => {
        throw new UnlistedError([...untouched.values()], fault);
      });
    },
    remove: (tags, { connectionId, connectedAt }) =>
      onTable("deleting subscriptions", async () => {
        const key = sortKey(connectionId);
        const limits = rounds();
        const erase = async ([tag]: readonly Tag[]): Promise<readonly Tag[]> => {
          if (tag !== undefined)
            await ifHolds(() =>
              client.send(
                new DeleteItemCommand({
                  TableName: table,
                  Key: keyOf(tag, { key, connectedAt }),
                  ConditionExpression: "connectedAt = :at",
                  ExpressionAttributeValues: { ":at": { N: String(connectedAt) } },
                }),
              ),
            );
          return [];
        };
        await allOver(tags.map((tag) => inRounds(limits, [tag], erase)));
      }),
  };
}

const partitionKeyIn = ({ PutRequest }: WriteRequest) => PutRequest?.Item?.["tag"]?.S ?? "";
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
