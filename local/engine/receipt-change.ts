import type { Claim, Lease, Outcome } from "../../shared/ports.ts";
import type { MessageId } from "../../shared/protocol/message.ts";
import type { UserId } from "../../shared/protocol/tag.ts";
import type { Job } from "../../shared/receipts/job.ts";
import type { Progress } from "../../shared/receipts/receipt.ts";
import {
  type Details,
  dedupeUntil,
  MESSAGE_PART,
  NO_DETAILS,
  partOf,
  placeOf,
  progressOf,
  type ReceiptRow,
  ROW_VERSION,
} from "../../shared/receipts/row.ts";

/* What claims, outcomes and cancels make of a row, where a whole row is written at once. */

/** A row and the names that it counts. */
export interface KeptRow {
  readonly row: ReceiptRow;
  readonly details: Details;
}

/** The row of a job that no run has met. */
export const newRow = (job: Job, lease: Lease, now: number): KeptRow => ({
  row: {
    v: ROW_VERSION,
    producer: job.message.producer,
    id: job.message.id,
    part: partOf(job),
    acceptanceId: job.message.acceptanceId,
    time: job.message.time,
    dedupeUntil: dedupeUntil(job.message),
    ...(job.message.keeps === undefined ? {} : { keeps: job.message.keeps }),
    ...heldBy(lease, now),
  },
  details: NO_DETAILS,
});

/** The row of a later message with the same id that was cancelled before any run met it. */
export const cancelledRow = ({ row }: KeptRow, job: Job, lease: Lease, now: number): KeptRow => ({
  row: {
    ...newRow(job, lease, now).row,
    cancelledAt: row.cancelledAt ?? 0,
    leaseUntil: 0,
    ending: "cancelled",
  },
  details: NO_DETAILS,
});

/** A run takes the job over. A dead letter that is redriven starts without rounds and deaths. */
export function takenOver({ row, details }: KeptRow, lease: Lease, now: number): KeptRow {
  const next: Draft = { ...draftOf(row), ...heldBy(lease, now) };
  if (row.after !== undefined) next.after = row.after;
  if (row.ending) {
    next.rounds = 0;
    next.deaths = 0;
  }
  next.ending = undefined;
  next.reason = undefined;
  return keptOf(next, details);
}

/** The death of the run before is counted. */
export const diedOnce = ({ row, details }: KeptRow, deaths: number): KeptRow => ({
  row: { ...row, deaths, leaseUntil: 0 },
  details,
});

/** What the run that takes a row over is told. */
export function claimOf({ row, details }: KeptRow): Claim {
  const { counts, split, ending, deaths = 0 } = row;
  const progress = { ...progressOf(row, details), ...(ending ? { rounds: 0 } : {}) };
  return {
    kind: "claimed",
    ...(counts ? { progress } : {}),
    ...(split ? { split } : {}),
    deaths: ending ? 0 : deaths,
    ...placeOf(row),
  };
}

/** The row with the outcome of its run. */
export function settledBy(
  { row, details }: KeptRow,
  outcome: Outcome,
  seq: number | undefined,
  now: number,
): KeptRow {
  const next = draftOf(row);
  next.updatedAt = now;
  next.deaths = 0;
  if (seq !== undefined) next.seq = seq;
  if (outcome.kind === "split") next.split = outcome.ranges;
  else next.leaseUntil = 0;
  if (outcome.kind === "queued") next.queued = true;
  if (!("progress" in outcome)) return keptOf(next, details);
  const { counts, pending, failed, from, rounds } = outcome.progress;
  next.counts = counts;
  next.pending = pending.length;
  next.rounds = rounds;
  next.from = from;
  next.reason = outcome.reason;
  next.details = pending.length + failed.length > 0 ? row.run : undefined;
  if (outcome.kind === "ended") next.ending = outcome.ending;
  return keptOf(next, namesIn(outcome.progress));
}

/** A row that is being made. A field that is undefined is absent: JSON leaves it out. */
type Draft = { -readonly [K in keyof Required<ReceiptRow>]: ReceiptRow[K] | undefined };

/** All fields by name: an object that is spread and then added to costs V8 ten times as much. */
const draftOf = (row: ReceiptRow): Draft => ({
  v: row.v,
  producer: row.producer,
  id: row.id,
  part: row.part,
  acceptanceId: row.acceptanceId,
  time: row.time,
  dedupeUntil: row.dedupeUntil,
  keeps: row.keeps,
  run: row.run,
  leaseUntil: row.leaseUntil,
  returnsAt: row.returnsAt,
  entryId: row.entryId,
  receive: row.receive,
  onFinalReceive: row.onFinalReceive,
  deaths: row.deaths,
  seq: row.seq,
  after: row.after,
  counts: row.counts,
  pending: row.pending,
  from: row.from,
  rounds: row.rounds,
  details: row.details,
  split: row.split,
  queued: row.queued,
  ending: row.ending,
  reason: row.reason,
  cancelledAt: row.cancelledAt,
  updatedAt: row.updatedAt,
});

const keptOf = (row: Draft, details: Details): KeptRow => ({ row: row as ReceiptRow, details });

/** The row of a message that was cancelled, met or not. */
export const cancelled = (
  found: KeptRow | undefined,
  producer: UserId,
  id: MessageId,
  now: number,
): KeptRow => ({
  row: {
    ...(found?.row ?? { v: ROW_VERSION, producer, id, part: MESSAGE_PART, updatedAt: now }),
    cancelledAt: now,
  },
  details: found?.details ?? NO_DETAILS,
});

const namesIn = ({ pending, failed }: Progress): Details => ({ pending, failed });

const heldBy = ({ run, until, returnsAt, entryId, receive, onFinalReceive, after }: Lease, now: number) => ({
  run,
  leaseUntil: until,
  returnsAt,
  entryId,
  receive,
  onFinalReceive,
  updatedAt: now,
  ...(after === undefined ? {} : { after }),
});
