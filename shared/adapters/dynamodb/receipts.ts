import {
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  paginateQuery,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import type { Claim, Lease, Receipts } from "../../ports.ts";
import { TagwireError } from "../../protocol/errors.ts";
import type { MessageId } from "../../protocol/message.ts";
import type { UserId } from "../../protocol/tag.ts";
import { claimability, withdrawalOf } from "../../receipts/claimability.ts";
import { fold, rowsWithNames } from "../../receipts/fold.ts";
import type { Job } from "../../receipts/job.ts";
import {
  claimedUntil,
  type Details,
  detailPart,
  MESSAGE_PART,
  NO_DETAILS,
  partOf,
  placeOf,
  progressOf,
  type ReceiptRow,
  ROW_VERSION,
} from "../../receipts/row.ts";
import { isMessageUnrecorded } from "../../receipts/states.ts";
import { ifHolds, onTable } from "../sdk/client.ts";
import {
  asSeen,
  BEFORE,
  cancelledOf,
  detailItem,
  detailsBefore,
  detailsIn,
  type Fields,
  hasNames,
  heldBy,
  type Item,
  identityOf,
  keyOf,
  number,
  optional,
  partitionOf,
  rowFrom,
  settledBy,
} from "./receipt-item.ts";

export interface DynamoReceiptsOptions {
  readonly client: DynamoDBClient;
  readonly table: string;
  /** Days a row is kept. */
  readonly days: number;
}

const NEW = "attribute_not_exists(#part)";
const UNLESS_CANCELLED = "(attribute_not_exists(#cancelledAt) OR attribute_exists(#split))";

/** Many of the names are reserved words of DynamoDB, so all are written #name. */
const namesIn = (...expressions: string[]) =>
  Object.fromEntries(
    expressions.flatMap((text) => [...text.matchAll(/#(\w+)/g)].map(([name, word]) => [name, word ?? ""])),
  );

/** Receipt rows as a DynamoDB table: partition key `message` (producer#id), sort key `part`. */
export function dynamoReceipts({ client, table, days }: DynamoReceiptsOptions): Receipts {
  const timeToLive = (now: number) => ({ ttl: number(Math.floor(now / 1000) + days * 86_400) });

  /** What only a claim has written need not outlive the message, if the receipt keeps failures only. */
  const claimedLife = ({ message, range }: Job, lease: Lease, now: number): Item =>
    message.keeps === "failures" && !range
      ? { ttl: number(Math.ceil(claimedUntil(lease) / 1000)) }
      : timeToLive(now);

  const get = async (Key: Item): Promise<Item | undefined> =>
    (await client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }))).Item;

  const put = (Item: Item, ConditionExpression: string, values: Item = {}) =>
    ifHolds(() =>
      client.send(
        new PutItemCommand({
          TableName: table,
          Item,
          ConditionExpression,
          ExpressionAttributeNames: namesIn(ConditionExpression),
          ...(Object.keys(values).length > 0 ? { ExpressionAttributeValues: values } : {}),
        }),
      ),
    );

  const update = (key: Item, set: Fields, remove: readonly string[], condition: string, values: Item) => {
    const removing = remove.length === 0 ? "" : ` REMOVE ${remove.map((name) => `#${name}`).join(", ")}`;
    const expression = `SET ${Object.keys(set)
      .map((name) => `#${name} = :${name}`)
      .join(", ")}${removing}`;
    const fields = Object.fromEntries(Object.entries(set).map(([name, value]) => [`:${name}`, value]));
    return ifHolds(() =>
      client.send(
        new UpdateItemCommand({
          TableName: table,
          Key: key,
          UpdateExpression: expression,
          ...(condition === "" ? {} : { ConditionExpression: condition }),
          ExpressionAttributeNames: namesIn(expression, condition),
          ExpressionAttributeValues: { ...fields, ...values },
        }),
      ),
    );
  };

  /** The rows that a receipt is folded from. The names beside them sort after `message`. */
  const readRows = async (producer: UserId, id: MessageId): Promise<Item[]> => {
    const pages = paginateQuery(
      { client },
      {
        TableName: table,
        ConsistentRead: true,
        KeyConditionExpression: "#message = :message AND #part <= :last",
        ExpressionAttributeNames: { "#message": "message", "#part": "part" },
        ExpressionAttributeValues: {
          ":message": { S: partitionOf(producer, id) },
          ":last": { S: MESSAGE_PART },
        },
      },
    );
    const items: Item[] = [];
    for await (const page of pages) items.push(...(page.Items ?? []));
    return items;
  };

  const readDetails = async (item: Item, { producer, id, part, details }: ReceiptRow): Promise<Details> => {
    if (details === undefined) return NO_DETAILS;
    if (details === BEFORE) return detailsBefore(item);
    return detailsIn(await get(keyOf(producer, id, detailPart(part, details))));
  };

  const claimed = async (item: Item, row: ReceiptRow): Promise<Claim> => {
    const { counts, split, ending } = row;
    const progress = counts && progressOf(row, await readDetails(item, row));
    return {
      kind: "claimed",
      ...(progress ? { progress: ending ? { ...progress, rounds: 0 } : progress } : {}),
      ...(split ? { split } : {}),
      deaths: ending ? 0 : (row.deaths ?? 0),
      ...placeOf(row),
    };
  };

  /** Takes a job whose row is there. Undefined if the row has changed since it was read. */
  const claimRow = async (job: Job, item: Item, lease: Lease, now: number): Promise<Claim | undefined> => {
    const row = rowFrom(item);
    const { producer, id } = row;
    const isAnother = row.acceptanceId !== job.message.acceptanceId;
    const rows = row.split && isAnother ? (await readRows(producer, id)).map(rowFrom) : [];
    const found = claimability(row, job, lease, now, rows);
    const { condition, values } = asSeen(row);
    const key = keyOf(producer, id, row.part);
    switch (found.kind) {
      case "open": {
        const anew = row.ending ? { rounds: number(0), deaths: number(0) } : {};
        const set = { ...heldBy(lease, now, row.after ?? lease.after), ...anew, ...timeToLive(now) };
        const taken = await update(
          key,
          set,
          ["ending", "reason"],
          `${condition} AND ${UNLESS_CANCELLED}`,
          values,
        );
        return taken ? claimed(item, row) : undefined;
      }
      case "replaceable": {
        const end = found.cancelled ? cancelledOf(row) : {};
        const next = { ...identityOf(job), ...heldBy(lease, now), ...claimedLife(job, lease, now), ...end };
        if (!(await put(next, condition, values))) return undefined;
        return found.cancelled ? { kind: "over", why: "cancelled" } : { kind: "claimed", deaths: 0 };
      }
      case "died": {
        const set = { deaths: number(found.deaths), leaseUntil: number(0) };
        await update(key, set, [], condition, values);
        return lease.suspects ? undefined : { kind: "suspect", deaths: found.deaths };
      }
      default:
        return found;
    }
  };

  return {
    claim: (job, lease, now) =>
      onTable("claiming a receipt", async (): Promise<Claim> => {
        const next = { ...identityOf(job), ...heldBy(lease, now), ...claimedLife(job, lease, now) };
        for (let look = 0; look < LOOKS; look++) {
          if (await put(next, NEW)) return { kind: "claimed", deaths: 0 };
          const item = await get(keyOf(job.message.producer, job.message.id, partOf(job)));
          const claim = item && (await claimRow(job, item, lease, now));
          if (claim) return claim;
        }
        throw new TagwireError("TABLE_UNAVAILABLE", `the receipt of ${job.message.id} keeps changing`);
      }),
    settle: (job, run, outcome, now) =>
      onTable("settling a receipt", async () => {
        const key = keyOf(job.message.producer, job.message.id, partOf(job));
        if ("progress" in outcome && hasNames(outcome.progress)) {
          const Item = { ...detailItem(job, run, outcome.progress), ...timeToLive(now) };
          await client.send(new PutItemCommand({ TableName: table, Item }));
        }
        const { set, remove } = settledBy(outcome, run);
        const condition = outcome.kind === "ended" ? "#run = :run" : `#run = :run AND ${UNLESS_CANCELLED}`;
        const written = {
          ...set,
          ...optional("seq", job.seq),
          v: number(ROW_VERSION),
          updatedAt: number(now),
          ...timeToLive(now),
        };
        if (await update(key, written, remove, condition, { ":run": { S: run } })) return "written";
        return (await get(key))?.["run"]?.S === run ? "cancelled" : "superseded";
      }),
    withdrawal: (job) =>
      onTable("reading a receipt", async () => {
        const item = await get(keyOf(job.message.producer, job.message.id, MESSAGE_PART));
        return item && withdrawalOf(rowFrom(item), job);
      }),
    cancel: (producer, id, now) =>
      onTable("cancelling a receipt", async () => {
        const key = keyOf(producer, id, MESSAGE_PART);
        await update(key, { cancelledAt: number(now), ...timeToLive(now) }, [], "", {});
      }),
    find: (producer, id, now) =>
      onTable("reading a receipt", async () => {
        const items = await readRows(producer, id);
        const read = items.map((item) => ({ item, row: rowFrom(item) }));
        const rows = read.map(({ row }) => row);
        if (isMessageUnrecorded(rows, now)) return "unrecorded";
        const named = new Set(rowsWithNames(rows, now));
        const details = read
          .filter(({ row }) => named.has(row))
          .map(async ({ item, row }) => [row.part, await readDetails(item, row)] as const);
        return fold(rows, now, new Map(await Promise.all(details)));
      }),
  };
}

/** Times that a claim looks again at a row that others change. */
const LOOKS = 4;
