import { MESSAGE_PART, type ReceiptRow } from "./row.ts";

/** The state of one receipt row: the message's own, or a job's. `docs/flow.md` has the diagram. */
export type RowState =
  /** There is no row. */
  | "absent"
  /** A cancel wrote the row before any run claimed the message. */
  | "reserved"
  /** A run has the lease. */
  | "leased"
  /** The lease is over, and its run wrote no outcome: it died, or it could not write. */
  | "lapsed"
  /** A run wrote a retry and gave up its lease, or its death was counted. The next run may claim the job. */
  | "waiting"
  /** Its jobs are queued, and do its work. */
  | "queued"
  /** Ended, and in the dead-letter queue: a redrive opens it again. */
  | "dead"
  /** Ended for good. */
  | "ended";

/**
 * `claim`: a run claims the job. `lapse`: the lease is over. `death`: a claim counts the death of the run before.
 * `cancel`: DELETE. `drop`: a claim finds that its message, a later one with the same id, was cancelled before; the row
 * is that message's from then on. The others are the outcomes that a run writes.
 */
export type RowEvent =
  | "claim"
  | "lapse"
  | "death"
  | "cancel"
  | "drop"
  | "retry"
  | "split"
  | "queued"
  | "dead"
  | "end";

/**
 * Every change of state that there is. An event that is not listed for a state leaves the state as it is. A run whose
 * lease is over may still write, until another run claims the job. A claim of an ended or queued row is one by a later
 * message with the same id.
 */
export const TRANSITIONS: Readonly<Record<RowState, Partial<Record<RowEvent, RowState>>>> = {
  absent: { claim: "leased", cancel: "reserved" },
  reserved: { claim: "leased" },
  leased: { lapse: "lapsed", retry: "waiting", queued: "queued", dead: "dead", end: "ended" },
  lapsed: {
    claim: "leased",
    death: "waiting",
    retry: "waiting",
    queued: "queued",
    dead: "dead",
    end: "ended",
    drop: "ended",
  },
  waiting: { claim: "leased", queued: "queued", dead: "dead", end: "ended", drop: "ended" },
  queued: { claim: "leased", drop: "ended" },
  dead: { claim: "leased", drop: "ended" },
  ended: { claim: "leased" },
};

/** Returns the state of a row. `now` is in milliseconds since 1970. */
export function rowState(row: ReceiptRow | undefined, now: number): RowState {
  if (!row) return "absent";
  if (row.acceptanceId === undefined) return "reserved";
  if (row.queued) return "queued";
  if (row.ending === "dead") return "dead";
  if (row.ending !== undefined) return "ended";
  const { leaseUntil = 0 } = row;
  if (leaseUntil === 0) return "waiting";
  return leaseUntil > now ? "leased" : "lapsed";
}

/**
 * Whether nobody knows how a message ended: its receipt keeps failures only, and all that is known is that a run claimed
 * it. Either it was delivered, or the run died and the message will be received again.
 */
export const isUnrecorded = (row: ReceiptRow, now: number): boolean =>
  row.keeps === "failures" &&
  row.receive === 1 &&
  row.counts === undefined &&
  !row.split &&
  rowState(row, now) === "lapsed";

/** The same, of the message that all these rows are of. */
export const isMessageUnrecorded = (rows: readonly ReceiptRow[], now: number): boolean =>
  rows.some((row) => row.part === MESSAGE_PART && isUnrecorded(row, now));

/** Whether a run has the lease of the row. */
export const isLeased = (row: ReceiptRow, now: number): boolean => rowState(row, now) === "leased";
