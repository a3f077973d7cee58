import { acceptedAt, type Message } from "../protocol/message.ts";
import { fold } from "./fold.ts";
import type { Job } from "./job.ts";
import { ENDINGS } from "./receipt.ts";
import { claimedUntil, MESSAGE_PART, placeOf, type ReceiptRow, ROW_VERSION } from "./row.ts";
import { isLeased, isUnrecorded, rowState } from "./states.ts";

/** The run that claims a job. Times are milliseconds since 1970. */
export interface Claimant {
  /** Unique to this run of this job. */
  readonly run: string;
  /** The id of the SQS message. A job may be in several, and each counts its own receives. */
  readonly entryId: string;
  readonly receive: number;
  /** Whether it accepts a job whose earlier runs died. */
  readonly suspects: boolean;
}

/** What a run may do with a job whose row is already there. */
export type Claimability =
  | { readonly kind: "open" }
  /** The row is of an earlier message with the same id that has ended. */
  | { readonly kind: "replaceable"; readonly cancelled: boolean }
  | { readonly kind: "leased"; readonly until: number }
  /** The run before died while it had the lease, and the death has not been counted yet. */
  | { readonly kind: "died"; readonly deaths: number }
  | { readonly kind: "suspect"; readonly deaths: number }
  | {
      readonly kind: "over";
      readonly why: "duplicate" | "cancelled" | "ended" | "split";
      /** The place of a cancelled message in its stream. */
      readonly seq?: number;
      readonly after?: number;
    }
  | { readonly kind: "newer"; readonly version: number };

/** Milliseconds until the next claim of a message that waits for an earlier one with its id to stop. */
const STOPPING = 10_000;

/** Milliseconds after `returnsAt` within which SQS returns a message, since clocks differ. */
const RETURNING = 5_000;

/** Whether a cancel is about a message: only about what was accepted before it. Equal times leave it open. */
const isAbout = (cancelledAt: number | undefined, message: Message): boolean =>
  cancelledAt !== undefined && acceptedAt(message) < cancelledAt;

/**
 * What a run may do with a job that has this row. `rows` are all rows of the message, where `row` is split: only
 * they tell whether it is over.
 */
export function claimability(
  row: ReceiptRow,
  { message }: Job,
  claimant: Claimant,
  now: number,
  rows: readonly ReceiptRow[] = [],
): Claimability {
  if (row.v > ROW_VERSION) return { kind: "newer", version: row.v };
  return row.acceptanceId === message.acceptanceId
    ? ofItsOwn(row, claimant, now)
    : ofAnother(row, message, now, rows);
}

/** A dead letter that is received again was redriven, so `dead` is the one ending that is open to a claim. */
function ofItsOwn(row: ReceiptRow, claimant: Claimant, now: number): Claimability {
  // The jobs of a split message end by themselves, as each finds the cancel.
  if (row.cancelledAt !== undefined && !row.split && (isOpen(row) || row.ending === "cancelled")) {
    // The run that has the lease may deliver it all the same, and knows its place.
    const isAnothers = isLeased(row, now) && row.run !== claimant.run;
    return isAnothers ? CANCELLED : { ...CANCELLED, ...placeOf(row) };
  }
  const { leaseUntil = 0, deaths = 0 } = row;
  // A run finds its own lease if the response to its claim was lost.
  const isOwnLease = row.run === claimant.run;
  const suspectOrOpen: Claimability =
    deaths > 0 && !claimant.suspects ? { kind: "suspect", deaths } : { kind: "open" };
  switch (rowState(row, now)) {
    case "queued":
      return { kind: "over", why: "split" };
    case "dead":
      return { kind: "open" };
    case "ended":
      return { kind: "over", why: "ended" };
    case "leased":
      return isOwnLease ? suspectOrOpen : { kind: "leased", until: leaseUntil };
    case "lapsed":
      return (isOwnLease ? undefined : ofLapsed(row, claimant, now)) ?? suspectOrOpen;
    default:
      return suspectOrOpen;
  }
}

/** Whether a cancel still stops a message: one that has ended stays as it is, and so does its data in a stream. */
const isOpen = ({ ending }: ReceiptRow): boolean => ending === undefined || ending === "dead";

/**
 * A run that lives and cannot write makes its message visible earlier, or as a later receive, so only a message that
 * returns by its full visibility timeout counts a death. Undefined if the lease over is no evidence of one.
 */
function ofLapsed(row: ReceiptRow, { entryId, receive }: Claimant, now: number): Claimability | undefined {
  const { returnsAt, deaths = 0 } = row;
  // Another SQS message waits for the one whose run may have died: two that alternate would never count a death.
  const isSame = row.entryId === undefined || row.entryId === entryId;
  const back = (returnsAt ?? 0) + RETURNING;
  if (!isSame && now < back) return { kind: "leased", until: back };
  const isNext = isSame && receive === (row.receive ?? 0) + 1;
  return returnsAt !== undefined && now >= returnsAt && isNext
    ? { kind: "died", deaths: deaths + 1 }
    : undefined;
}

/** A message with the same id was there before. */
function ofAnother(
  row: ReceiptRow,
  message: Message,
  now: number,
  rows: readonly ReceiptRow[],
): Claimability {
  const cancelled = isAbout(row.cancelledAt, message);
  if (row.acceptanceId === undefined) return cancelled ? CANCELLED : { kind: "replaceable", cancelled };
  const stopped = row.cancelledAt !== undefined && !cancelled;
  if (!stopped && (row.dedupeUntil ?? 0) > acceptedAt(message)) return DUPLICATE;
  if (isOver(row, now, rows)) return { kind: "replaceable", cancelled };
  return stopped ? { kind: "leased", until: now + STOPPING } : DUPLICATE;
}

const CANCELLED = { kind: "over", why: "cancelled" } as const satisfies Claimability;
const DUPLICATE: Claimability = { kind: "over", why: "duplicate" };

/** Returns true if the message of a row has ended. */
function isOver(row: ReceiptRow, now: number, rows: readonly ReceiptRow[]): boolean {
  if (isUnrecorded(row, now)) return now >= claimedUntil(row);
  if (row.split) return ENDINGS.some((ending) => ending === fold(rows, now)?.state);
  return row.ending !== undefined || (row.cancelledAt !== undefined && !isLeased(row, now));
}

/** Why a message is no longer delivered: it was cancelled, or a later message with its id has its row. */
export type Withdrawal = "cancelled" | "replaced";

/** Returns why a message is no longer delivered, by its own row; undefined if it may be delivered. */
export function withdrawalOf(own: ReceiptRow, { message }: Job): Withdrawal | undefined {
  if (own.part !== MESSAGE_PART) return undefined;
  if (own.acceptanceId === undefined) return isAbout(own.cancelledAt, message) ? "cancelled" : undefined;
  if (own.acceptanceId !== message.acceptanceId) return "replaced";
  return own.cancelledAt !== undefined && isOpen(own) ? "cancelled" : undefined;
}
