import { acceptedAt, type Message, type MessageId } from "../protocol/message.ts";
import type { ConnectionId, UserId } from "../protocol/tag.ts";
import type { HashRange } from "./hash-range.ts";
import type { Job } from "./job.ts";
import { type Counts, type JobEnding, NO_PROGRESS, type Progress, type Recipient } from "./receipt.ts";

/** The version of a row. A consumer understands this version and the one before. */
export const ROW_VERSION = 1;

/** One row of a receipt: the message's own, or a job's. Times are milliseconds since 1970. */
export interface ReceiptRow {
  readonly v: number;
  readonly producer: UserId;
  readonly id: MessageId;
  /** `message`, or `job#<acceptance id>#<from>-<to>`. */
  readonly part: string;
  /** Absent on a row that a cancel made before any run met the message. */
  readonly acceptanceId?: string;
  readonly time?: string;
  readonly dedupeUntil?: number;
  /** What the receipt of its message keeps. Absent: all. */
  readonly keeps?: "failures";
  /** The run that claimed it last. */
  readonly run?: string;
  /** The end of that run's lease. 0 if it wrote an outcome. */
  readonly leaseUntil?: number;
  /** The end of the message's full visibility timeout, if that run dies. */
  readonly returnsAt?: number;
  /** The SQS message that the run was given, and which of its receives. */
  readonly entryId?: string;
  readonly receive?: number;
  /** Whether this was the last receive that SQS allows. */
  readonly onFinalReceive?: boolean;
  /** The number of consecutive runs that died while they had the lease. */
  readonly deaths?: number;
  /** The number of the message in its stream, as a run wrote it with an outcome. */
  readonly seq?: number;
  /** The number of the last message of its stream before its first claim. Absent if its target keeps no stream. */
  readonly after?: number;
  readonly counts?: Counts;
  /** The number of pending connections. */
  readonly pending?: number;
  readonly from?: string;
  readonly rounds?: number;
  /** The run whose details (`detailPart`) name the pending and the failed connections. Absent: there are none. */
  readonly details?: string;
  /** The ranges of the jobs that replace it. */
  readonly split?: readonly HashRange[];
  /** Whether all those jobs are in their lane. */
  readonly queued?: boolean;
  readonly ending?: JobEnding;
  readonly reason?: string;
  readonly cancelledAt?: number;
  /** When a run wrote it last. */
  readonly updatedAt: number;
}

/** The connections that a row counts, by name. They are in a row of their own, since most reads need only the counts. */
export interface Details {
  readonly pending: readonly Recipient[];
  readonly failed: readonly ConnectionId[];
}

export const NO_DETAILS: Details = { pending: [], failed: [] };

export const MESSAGE_PART = "message";
export const jobPart = (acceptanceId: string, { from, to }: HashRange): string =>
  `job#${acceptanceId}#${from}-${to}`;
export const partOf = ({ message, range }: Job): string =>
  range ? jobPart(message.acceptanceId, range) : MESSAGE_PART;

/** Sorts after every part that a receipt is folded from. */
export const detailPart = (part: string, run: string): string => `names#${part}#${run}`;

/** The first moment (milliseconds) at which a POST of the same id is a new message. */
export const dedupeUntil = (message: Message): number => acceptedAt(message) + message.dedupeSeconds * 1000;

/** Milliseconds that a row which only a claim wrote outlives the visibility timeout: until then its message may be back. */
const CLAIMED_LIFE = 86_400_000;

/** When a row goes on which no run has to write anything after its claim, in milliseconds since 1970. */
export const claimedUntil = ({ returnsAt = 0 }: Pick<ReceiptRow, "returnsAt">): number =>
  returnsAt + CLAIMED_LIFE;

/** What the run that claims a row needs to know of the message's place in its stream. */
export const placeOf = ({ seq, after }: ReceiptRow): Pick<ReceiptRow, "seq" | "after"> => {
  if (seq !== undefined) return { seq };
  return after === undefined ? {} : { after };
};

export const progressOf = (row: ReceiptRow, { pending, failed }: Details): Progress => ({
  ...NO_PROGRESS,
  ...(row.counts ? { counts: row.counts } : {}),
  ...(row.from === undefined ? {} : { from: row.from }),
  rounds: row.rounds ?? 0,
  pending,
  failed,
});
