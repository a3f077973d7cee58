import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import type { Lease, Outcome } from "../../ports.ts";
import type { MessageId } from "../../protocol/message.ts";
import type { UserId } from "../../protocol/tag.ts";
import type { Job } from "../../receipts/job.ts";
import { NO_PROGRESS, type Progress } from "../../receipts/receipt.ts";
import {
  type Details,
  dedupeUntil,
  detailPart,
  NO_DETAILS,
  partOf,
  type ReceiptRow,
  ROW_VERSION,
} from "../../receipts/row.ts";

/* How rows of a receipt stand in the table. Attributes have the names of `ReceiptRow`. */

export type Item = Record<string, AttributeValue>;

/** What must be written for some fields of a row. */
export type Fields = Readonly<Record<string, AttributeValue>>;

export const number = (value: number): AttributeValue => ({ N: String(value) });

/** Partition key: producer and message id. Ids hold no `#`. */
export const partitionOf = (producer: UserId, id: MessageId): string => `${producer}#${id}`;

export const keyOf = (producer: UserId, id: MessageId, part: string): Item => ({
  message: { S: partitionOf(producer, id) },
  part: { S: part },
});

/** What a claim writes on every row. `after` stays that of the first lease. */
export const heldBy = (lease: Lease, now: number, after = lease.after): Fields => ({
  v: number(ROW_VERSION),
  run: { S: lease.run },
  leaseUntil: number(lease.until),
  returnsAt: number(lease.returnsAt),
  entryId: { S: lease.entryId },
  receive: number(lease.receive),
  onFinalReceive: { BOOL: lease.onFinalReceive },
  updatedAt: number(now),
  ...optional("after", after),
});

/** A field with a number, or no field. */
export const optional = (name: string, value: number | undefined): Fields =>
  value === undefined ? {} : { [name]: number(value) };

/** What a claim writes on a new row beside that. */
export function identityOf(job: Job): Fields {
  const { message } = job;
  return {
    ...keyOf(message.producer, message.id, partOf(job)),
    acceptanceId: { S: message.acceptanceId },
    time: { S: message.time },
    dedupeUntil: number(dedupeUntil(message)),
    ...(message.keeps === undefined ? {} : { keeps: { S: message.keeps } }),
  };
}

const RELEASED: Fields = { leaseUntil: number(0), deaths: number(0) };

/** What an outcome writes, and what it removes: a reason or a place of an earlier run must not stay. */
export function settledBy(outcome: Outcome, run: string): { set: Fields; remove: readonly string[] } {
  if (outcome.kind === "split")
    return { set: { split: { S: JSON.stringify(outcome.ranges) }, deaths: number(0) }, remove: [] };
  if (outcome.kind === "queued") return { set: { ...RELEASED, queued: { BOOL: true } }, remove: [] };
  const { progress, reason } = outcome;
  const optional: Record<string, AttributeValue | undefined> = {
    from: progress.from === undefined ? undefined : { S: progress.from },
    reason: reason === undefined ? undefined : { S: reason },
    details: hasNames(progress) ? { S: run } : undefined,
  };
  const present = Object.entries(optional).filter(
    (entry): entry is [string, AttributeValue] => entry[1] !== undefined,
  );
  return {
    set: {
      ...RELEASED,
      sent: number(progress.counts.sent),
      gone: number(progress.counts.gone),
      failed: number(progress.counts.failed),
      pending: number(progress.pending.length),
      rounds: number(progress.rounds),
      ...(outcome.kind === "ended" ? { ending: { S: outcome.ending } } : {}),
      ...Object.fromEntries(present),
    },
    remove: [...Object.keys(optional).filter((name) => optional[name] === undefined), "progress"],
  };
}

export const hasNames = ({ pending, failed }: Progress): boolean => pending.length + failed.length > 0;

/** The row beside a row, which names the connections that it counts. */
export const detailItem = (job: Job, run: string, { pending, failed }: Progress): Item =>
  namesItem(job.message.producer, job.message.id, detailPart(partOf(job), run), { pending, failed });

/** The same for a part whose name is known. */
export const namesItem = (producer: UserId, id: MessageId, part: string, names: Details): Item => ({
  ...keyOf(producer, id, part),
  v: number(ROW_VERSION),
  names: { S: JSON.stringify(names) },
});

export const detailsIn = (item: Item | undefined): Details =>
  item?.["names"]?.S === undefined ? NO_DETAILS : (JSON.parse(item["names"].S) as Details);

/** Reads a row of this version or the one before. */
export function rowFrom(item: Item): ReceiptRow {
  const partition = text(item, "message") ?? "";
  const cut = partition.lastIndexOf("#");
  const before = text(item, "progress") === undefined ? undefined : progressBefore(item);
  return {
    v: numberIn(item, "v") ?? 0,
    producer: partition.slice(0, cut) as UserId,
    id: partition.slice(cut + 1) as MessageId,
    part: text(item, "part") ?? "",
    updatedAt: numberIn(item, "updatedAt") ?? 0,
    ...present({
      acceptanceId: text(item, "acceptanceId") ?? text(item, "copy"),
      time: text(item, "time"),
      keeps: text(item, "keeps"),
      run: text(item, "run"),
      dedupeUntil: numberIn(item, "dedupeUntil"),
      leaseUntil: numberIn(item, "leaseUntil"),
      returnsAt: numberIn(item, "returnsAt"),
      entryId: text(item, "entryId"),
      receive: numberIn(item, "receive"),
      onFinalReceive: item["onFinalReceive"]?.BOOL ?? item["last"]?.BOOL,
      deaths: numberIn(item, "deaths"),
      seq: numberIn(item, "seq"),
      after: numberIn(item, "after"),
      counts: before?.counts ?? countsIn(item),
      pending: before?.pending.length ?? numberIn(item, "pending"),
      from: before?.from ?? text(item, "from"),
      rounds: numberIn(item, "rounds"),
      details: before && hasNames(before) ? BEFORE : text(item, "details"),
      split: parsed(item, "split"),
      queued: item["queued"]?.BOOL,
      ending: text(item, "ending"),
      reason: text(item, "reason"),
      cancelledAt: numberIn(item, "cancelledAt"),
    }),
  } as ReceiptRow;
}

/** Stands for the run in `details` of a row of version 0, which held its names itself. */
export const BEFORE = "v0";

/** The names in a row of version 0. */
export const detailsBefore = (item: Item): Details => {
  const { pending, failed } = progressBefore(item);
  return { pending, failed };
};

const progressBefore = (item: Item): Progress => ({ ...NO_PROGRESS, ...parsed<Progress>(item, "progress") });

const countsIn = (item: Item) => {
  const sent = numberIn(item, "sent");
  if (sent === undefined) return undefined;
  return { sent, gone: numberIn(item, "gone") ?? 0, failed: numberIn(item, "failed") ?? 0 };
};

const text = (item: Item, name: string): string | undefined => item[name]?.S;
const numberIn = (item: Item, name: string): number | undefined =>
  item[name]?.N === undefined ? undefined : Number(item[name].N);
const parsed = <T>(item: Item, name: string): T | undefined =>
  item[name]?.S === undefined ? undefined : (JSON.parse(item[name].S) as T);
const present = (fields: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

/** Only the row that was read: of two runs that read it at once, one must not get it. */
export function asSeen(row: ReceiptRow): { condition: string; values: Record<string, AttributeValue> } {
  const seen: Readonly<Record<string, AttributeValue | undefined>> = {
    run: row.run === undefined ? undefined : { S: row.run },
    leaseUntil: row.leaseUntil === undefined ? undefined : number(row.leaseUntil),
    updatedAt: row.updatedAt === 0 ? undefined : number(row.updatedAt),
    cancelledAt: row.cancelledAt === undefined ? undefined : number(row.cancelledAt),
  };
  const conditions = Object.entries(seen).map(([name, value]) =>
    value === undefined ? `attribute_not_exists(#${name})` : `#${name} = :seen_${name}`,
  );
  const values = Object.entries(seen).flatMap(([name, value]) => (value ? [[`:seen_${name}`, value]] : []));
  return { condition: conditions.join(" AND "), values: Object.fromEntries(values) };
}

/** What ends a message that a cancel was about before any run met it. */
export const cancelledOf = ({ cancelledAt = 0 }: ReceiptRow): Fields => ({
  cancelledAt: number(cancelledAt),
  leaseUntil: number(0),
  ending: { S: "cancelled" },
});
