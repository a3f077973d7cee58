import {
  type AttributeValue,
  type DynamoDBClient,
  GetItemCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import type { QuotaAnswer, QuotaBeats, QuotaEntry } from "../../ports.ts";
import { ifHolds, onTable } from "../sdk/client.ts";

/** Seconds for which the item outlives its last beat. Each beat writes it anew, so a clock that is wrong does no harm. */
const LIFE = 86_400;

export interface QuotaBeatsOptions {
  /** Takes no other calls: the adapter adds to its middleware. */
  readonly client: DynamoDBClient;
  readonly table: string;
  /** The name of the quota. */
  readonly quota: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * Beats as one item of a DynamoDB table per quota: partition key `quota`, and an attribute per container, a map that is
 * named by its id. 20 entries are less than 1 KB, so that a beat is one write unit.
 */
export function dynamoQuotaBeats({ client, table, quota, now }: QuotaBeatsOptions): QuotaBeats {
  const Key = { quota: { S: quota } };
  let at: number | undefined;
  client.middlewareStack.add((next) => async (args) => {
    const result = await next(args);
    at = timeOf(result.response) ?? at;
    return result;
  });
  const answer = (item: Item = {}): QuotaAnswer => ({
    entries: Object.entries(item).flatMap(([id, { M: map }]) => (map ? [fromMap(id, map)] : [])),
    ...(at === undefined ? {} : { at }),
  });
  return {
    beat: (entry) =>
      onTable("sharing the quota", async () => {
        const { Attributes } = await client.send(
          new UpdateItemCommand({
            TableName: table,
            Key,
            UpdateExpression: "SET #ttl = :ttl, #entry = :entry",
            ExpressionAttributeNames: { "#ttl": "ttl", "#entry": entry.id },
            ExpressionAttributeValues: {
              ":ttl": number(Math.ceil(now() / 1_000) + LIFE),
              ":entry": { M: toMap(entry) },
            },
            ReturnValues: "ALL_NEW",
          }),
        );
        return answer(Attributes);
      }),
    read: () =>
      onTable("reading the shares of the quota", async () => {
        const { Item } = await client.send(
          new GetItemCommand({ TableName: table, Key, ConsistentRead: true }),
        );
        return answer(Item);
      }),
    remove: ({ id, count }) =>
      onTable("removing an entry of the quota", async () => {
        await ifHolds(() =>
          client.send(
            new UpdateItemCommand({
              TableName: table,
              Key,
              UpdateExpression: "REMOVE #entry",
              ConditionExpression: "#entry.#count = :count",
              ExpressionAttributeNames: { "#entry": id, "#count": "n" },
              ExpressionAttributeValues: { ":count": number(count) },
            }),
          ),
        );
      }),
  };
}

type Item = Readonly<Record<string, AttributeValue>>;

const number = (value: number): AttributeValue => ({ N: String(value) });

const toMap = (entry: QuotaEntry): Record<string, AttributeValue> => ({
  n: number(entry.count),
  s: number(entry.sendsPerSecond),
  c: number(entry.claimedPerSecond),
  w: number(entry.weight),
  q: { BOOL: entry.isWaiting },
  ...(entry.at === undefined ? {} : { t: number(entry.at / 1_000) }),
});

const fromMap = (id: string, { n, s, c, w, q, t }: Item): QuotaEntry => ({
  id,
  count: Number(n?.N),
  sendsPerSecond: Number(s?.N),
  claimedPerSecond: Number(c?.N),
  weight: Number(w?.N),
  isWaiting: q?.BOOL ?? false,
  ...(t?.N === undefined ? {} : { at: Number(t.N) * 1_000 }),
});

/** The Date of an HTTP response in milliseconds since 1970. */
function timeOf(response: unknown): number | undefined {
  const { headers } = response as { readonly headers?: Readonly<Record<string, string>> };
  const time = Date.parse(headers?.["date"] ?? "");
  return Number.isNaN(time) ? undefined : time;
}
