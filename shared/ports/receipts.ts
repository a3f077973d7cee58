import type { MessageId } from "../protocol/message.ts";
import type { UserId } from "../protocol/tag.ts";
import type { Claimant, Withdrawal } from "../receipts/claimability.ts";
import type { HashRange } from "../receipts/hash-range.ts";
import type { Job } from "../receipts/job.ts";
import type { JobEnding, Progress, Receipt } from "../receipts/receipt.ts";
import type { Awaitable } from "./awaitable.ts";

/** A run's lease on a job. Two runs MUST NOT have the same job at the same time. Times are milliseconds since 1970. */
export interface Lease extends Claimant {
  readonly until: number;
  /** The end of the full visibility timeout: if the run dies, SQS does not return the message earlier. */
  readonly returnsAt: number;
  /** Whether SQS moves the job to the dead-letter queue after it. */
  readonly onFinalReceive: boolean;
  /** The number of the last message of its stream, as far as the run knows. Absent if its target keeps no stream. */
  readonly after?: number;
}

export type Claim =
  | {
      readonly kind: "claimed";
      /** The progress that earlier runs wrote. Absent if there was none. */
      readonly progress?: Progress;
      /** An earlier run split it into these ranges, and the lane did not store all their jobs. */
      readonly split?: readonly HashRange[];
      /** The number of consecutive runs that died while they had the lease. */
      readonly deaths: number;
      /** The number of the message in its stream, if an earlier run wrote it. */
      readonly seq?: number;
      /**
       * The `after` of the first lease, if no run wrote a number: an earlier run may have appended the message at a
       * higher one. Absent if no earlier run had a lease with it.
       */
      readonly after?: number;
    }
  /** Another run has the lease. */
  | { readonly kind: "leased"; readonly until: number }
  /** Runs died while they had the lease, and this claim does not take such jobs (`suspects`). */
  | { readonly kind: "suspect"; readonly deaths: number }
  | {
      readonly kind: "over";
      readonly why: "duplicate" | "cancelled" | "ended" | "split";
      /** The number of a cancelled message in its stream, if a run wrote it. */
      readonly seq?: number;
      /** Otherwise the `after` of its first lease: a run may have appended it at a higher number. */
      readonly after?: number;
    }
  /** A newer deployment wrote its row. */
  | { readonly kind: "newer"; readonly version: number };

export type Outcome =
  | {
      readonly kind: "ended";
      readonly ending: JobEnding;
      readonly progress: Progress;
      readonly reason?: string;
    }
  | { readonly kind: "retry"; readonly progress: Progress; readonly reason?: string }
  /** Jobs for these ranges replace it. The run keeps its lease until they are `queued`. */
  | { readonly kind: "split"; readonly ranges: readonly HashRange[] }
  | { readonly kind: "queued" };

/** `written`: the row has the outcome. `cancelled`: a cancel came first. `superseded`: another run has the lease. */
export type Settled = "written" | "cancelled" | "superseded";

export interface Receipts {
  /**
   * Claims the job for one run. MUST be one conditional write if the job is new; only a conflict costs a read. A second
   * message with the same id is a duplicate within the dedupe window, and until the first has ended. An earlier run that
   * wrote no outcome, and whose message returned only after the full visibility timeout, has died. Its death MUST be
   * counted once.
   */
  claim(job: Job, lease: Lease, now: number): Awaitable<Claim>;
  /**
   * Writes the outcome of a run and the job's `seq`, sets the count of deaths to 0 and releases the lease, except for
   * a split. After a cancel an ending is still written, since it has happened; a retry or a split is not, and returns `cancelled`. After
   * a split every outcome is written.
   */
  settle(job: Job, run: string, outcome: Outcome, now: number): Awaitable<Settled>;
  /**
   * Returns `cancelled` if the message was cancelled, claimed or not, and `replaced` if a later message has its id. A
   * cancel of the later message is none of the replaced one.
   */
  withdrawal(job: Job): Awaitable<Withdrawal | undefined>;
  /** Cancels the undelivered part of a message accepted before `now`, claimed or not. MUST NOT change an ending. */
  cancel(producer: UserId, id: MessageId, now: number): Promise<void>;
  /**
   * Returns the receipt of the latest message with this id. Its size MUST be bounded for every size of audience. Returns
   * `unrecorded` if the receipt keeps failures only and the first run that claimed the message has written nothing: it
   * was delivered, or that run died. Returns undefined if no run has met it, or nothing is known of it any more.
   */
  find(producer: UserId, id: MessageId, now: number): Promise<Receipt | "unrecorded" | undefined>;
}
