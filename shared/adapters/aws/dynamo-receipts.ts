import {
  type AttributeValue,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  paginateQuery,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { TagwireError } from "../../domain/errors.ts";
import { DEFAULT_DEDUPE_SECONDS } from "../../domain/limits.ts";
import type { Job, MessageId } from "../../domain/message.ts";
import {
  dedupeUntil,
  fold,
  isCancelled,
  isReplaceableSplit,
  MESSAGE_PART,
  partOf,
  type ReceiptRow,
  standing,
} from "../../domain/receipt.ts";
import type { UserId } from "../../domain/tag.ts";
import type { Claim, Lease, Outcome, Receipts } from "../../ports.ts";
import { ifHolds, onTable } from "./client.ts";

export interface DynamoReceiptsOptions {
  readonly client: DynamoDBClient;
  readonly table: string;
  /** Days a row is kept. */
  readonly days: number;
}

type Values = Record<string, AttributeValue>;

/** The condition of `replaceable` in domain/receipt.ts, as DynamoDB says it. */
const NEW_OR_REPLACEABLE =
  "attribute_not_exists(#part) OR NOT #copy = :copy AND #dedupeUntil <= :accepted AND attribute_not_exists(#split)" +
  " AND (attribute_exists(#ending) OR attribute_exists(#cancelledAt) AND NOT #leaseUntil > :now)";

/** Only the row that was read: two runs that read it at once must not both get it. */
const AS_SEEN = "#run = :seen AND #leaseUntil = :seenUntil";
const UNLESS_CANCELLED = "(attribute_not_exists(#cancelledAt) OR attribute_exists(#split))";

/** Many of the names are reserved words of DynamoDB, so all are written #name. */
const namesIn = (...expressions: string[]) =>
  Object.fromEntries(
    expressions.flatMap((text) => [...text.matchAll(/#(\w+)/g)].map(([name, word]) => [name, word ?? ""])),
  );

/** Receipt rows as a DynamoDB table: partition key `message` (producer#id), sort key `part`. */
export function dynamoReceipts({ client, table, days }: DynamoReceiptsOptions): Receipts {
  const timeToLive = (now: number) => number(Math.floor(now / 1000) + days * 86_400);

  const update = (Key: Values, UpdateExpression: string, ConditionExpression: string, values: Values) =>
    ifHolds(() =>
      client.send(
        new UpdateItemCommand({
          TableName: table,
          Key,
          UpdateExpression,
          ConditionExpression,
          ExpressionAttributeNames: namesIn(UpdateExpression, ConditionExpression),
          ExpressionAttributeValues: values,
        }),
      ),
    );

  const read = async (Key: Values): Promise<ReceiptRow | undefined> => {
    const { Item } = await client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }));
    return Item && fromRow(Item);
  };

  const readAll = async (producer: UserId, id: MessageId): Promise<ReceiptRow[]> => {
    const pages = paginateQuery(
      { client },
      {
        TableName: table,
        ConsistentRead: true,
        KeyConditionExpression: "#message = :message",
        ExpressionAttributeNames: { "#message": "message" },
        ExpressionAttributeValues: { ":message": { S: `${producer}#${id}` } },
      },
    );
    const rows: ReceiptRow[] = [];
    for await (const { Items = [] } of pages) rows.push(...Items.map(fromRow));
    return rows;
  };

  const put = (
    { message, range }: Job,
    lease: Lease,
    now: number,
    ConditionExpression: string,
    values: Values,
  ) =>
    ifHolds(() =>
      client.send(
        new PutItemCommand({
          TableName: table,
          Item: {
            ...keyOf(message.producer, message.id, partOf(range ? { message, range } : { message })),
            copy: { S: message.copy },
            time: { S: message.time },
            dedupeUntil: number(dedupeUntil(message)),
            run: { S: lease.run },
            leaseUntil: number(lease.until),
            receive: number(lease.receive),
            last: { BOOL: lease.last },
            updatedAt: number(now),
            ttl: timeToLive(now),
          },
          ConditionExpression,
          ExpressionAttributeNames: namesIn(ConditionExpression),
          ExpressionAttributeValues: values,
        }),
      ),
    );

  const putNew = (job: Job, lease: Lease, now: number) =>
    put(job, lease, now, NEW_OR_REPLACEABLE, {
      ":copy": { S: job.message.copy },
      ":accepted": number(Date.parse(job.message.time)),
      ":now": number(now),
    });

  /** A message after a split one with the same id: whether that has ended, all its rows tell together. */
  const putAfterSplit = async (job: Job, row: ReceiptRow, lease: Lease, now: number): Promise<boolean> =>
    row.split !== undefined &&
    row.copy !== job.message.copy &&
    isReplaceableSplit(await readAll(row.producer, row.id), job, now) &&
    (await put(job, lease, now, AS_SEEN, seen(row)));

  const takeOver = (job: Job, row: ReceiptRow, lease: Lease, now: number) =>
    update(
      keyOf(row.producer, row.id, partOf(job)),
      "SET #run = :run, #leaseUntil = :until, #receive = :receive, #last = :last, #updatedAt = :now, #ttl = :ttl REMOVE #ending, #reason",
      `${AS_SEEN} AND ${UNLESS_CANCELLED}`,
      {
        ":run": { S: lease.run },
        ":until": number(lease.until),
        ":receive": number(lease.receive),
        ":last": { BOOL: lease.last },
        ":now": number(now),
        ":ttl": timeToLive(now),
        ...seen(row),
      },
    );

  return {
    claim: (job, lease, now) =>
      onTable("claiming a receipt", async (): Promise<Claim> => {
        for (let look = 0; look < 3; look++) {
          if (await putNew(job, lease, now)) return { kind: "claimed" };
          const row = await read(keyOf(job.message.producer, job.message.id, partOf(job)));
          if (!row) continue;
          if (await putAfterSplit(job, row, lease, now)) return { kind: "claimed" };
          const found = standing(row, job, lease.run, now);
          if (found.kind !== "open") return found;
          if (await takeOver(job, row, lease, now)) return { ...found, kind: "claimed" };
        }
        throw new TagwireError("TABLE_UNAVAILABLE", `the receipt of ${job.message.id} keeps changing`);
      }),
    settle: (job, run, outcome, now) =>
      onTable("settling a receipt", async () => {
        const key = keyOf(job.message.producer, job.message.id, partOf(job));
        const values = toValues(outcome);
        const names = Object.keys(values);
        const done = await update(
          key,
          `SET ${["updatedAt", "ttl", ...names].map((name) => `#${name} = :${name}`).join(", ")}`,
          outcome.kind === "ended" ? "#run = :run" : `#run = :run AND ${UNLESS_CANCELLED}`,
          {
            ":updatedAt": number(now),
            ":ttl": timeToLive(now),
            ":run": { S: run },
            ...Object.fromEntries(names.map((name) => [`:${name}`, values[name] ?? { NULL: true }])),
          },
        );
        if (done) return "written";
        return (await read(key))?.run === run ? "cancelled" : "superseded";
      }),
    isCancelled: (job) =>
      onTable("reading a receipt", async () => {
        const row = await read(keyOf(job.message.producer, job.message.id, MESSAGE_PART));
        return row !== undefined && isCancelled(row, job);
      }),
    cancel: (producer, id, now) =>
      onTable("cancelling a receipt", async () => {
        await update(
          keyOf(producer, id, MESSAGE_PART),
          "SET #cancelledAt = if_not_exists(#cancelledAt, :now), #dedupeUntil = if_not_exists(#dedupeUntil, :window), #updatedAt = if_not_exists(#updatedAt, :now), #ttl = :ttl",
          "attribute_not_exists(#ending) OR #ending = :dead",
          {
            ":now": number(now),
            ":window": number(now + DEFAULT_DEDUPE_SECONDS * 1000),
            ":ttl": timeToLive(now),
            ":dead": { S: "dead" },
          },
        );
      }),
    find: (producer, id, now) =>
      onTable("reading a receipt", async () => fold(await readAll(producer, id), now)),
  };
}

const number = (value: number): AttributeValue => ({ N: String(value) });
const keyOf = (producer: string, id: string, part: string): Values => ({
  message: { S: `${producer}#${id}` },
  part: { S: part },
});

const seen = ({ run = "", leaseUntil = 0 }: ReceiptRow): Values => ({
  ":seen": { S: run },
  ":seenUntil": number(leaseUntil),
});

const RELEASED: Values = { leaseUntil: { N: "0" } };

function toValues(outcome: Outcome): Values {
  if (outcome.kind === "split") return { split: { S: JSON.stringify(outcome.ranges) } };
  if (outcome.kind === "queued") return { ...RELEASED, queued: { BOOL: true } };
  return {
    ...RELEASED,
    progress: { S: JSON.stringify(outcome.progress) },
    ...(outcome.reason === undefined ? {} : { reason: { S: outcome.reason } }),
    ...(outcome.kind === "ended" ? { ending: { S: outcome.ending } } : {}),
    ...(outcome.kind === "retry" && outcome.requeued ? { last: { BOOL: false } } : {}),
  };
}

function fromRow(row: Values): ReceiptRow {
  const message = row["message"]?.S ?? "";
  const cut = message.lastIndexOf("#");
  const plain: Record<string, unknown> = {};
  for (const [name, { S, N, BOOL }] of Object.entries(row)) {
    plain[name] =
      name === "progress" || name === "split" ? JSON.parse(S ?? "null") : (S ?? BOOL ?? Number(N));
  }
  const { message: _, ttl: __, ...fields } = plain;
  return {
    ...fields,
    producer: message.slice(0, cut) as UserId,
    id: message.slice(cut + 1) as MessageId,
  } as ReceiptRow;
}
