import type { Clock, Lease, MessageQueue, Outcome, Receipts, Telemetry } from "../../ports.ts";
import type { Job } from "../../receipts/job.ts";
import type { Progress } from "../../receipts/receipt.ts";
import { bodyTextOf, DONE, type Received, type RecordResult } from "./record.ts";
import { queueJobs } from "./split.ts";
import { dueAt, jobFields, logOutcome } from "./steps.ts";

export interface SettleDeps {
  readonly receipts: Pick<Receipts, "settle">;
  readonly queue: Pick<MessageQueue, "send" | "deadLetter">;
  readonly clock: Pick<Clock, "now">;
  readonly telemetry: Telemetry;
  /** Takes the data of a message out of its stream. */
  readonly empty: (job: Job) => Promise<void>;
}

/** A job that this run has claimed. */
export interface Claimed {
  readonly record: Received;
  readonly job: Job;
  readonly lease: Lease;
  /** The id of the run in the log. */
  readonly runId?: string | undefined;
  /** The progress that earlier runs wrote. */
  readonly found: Progress;
}

type Split = Extract<Outcome, { kind: "split" }>;
type Final = Exclude<Outcome, Split>;

/**
 * Writes an outcome to the receipt, then acts on what the row says now. A split is two writes: its ranges, then that
 * their jobs are queued. Returns what SQS has to do with the record.
 */
export async function settle(
  deps: SettleDeps,
  claimed: Claimed,
  outcome: Outcome,
  again: () => RecordResult,
): Promise<RecordResult> {
  const at = deps.clock.now();
  const first = await write(deps, claimed, outcome);
  const written =
    first?.kind === "split" ? await write(deps, claimed, await enqueue(deps, claimed, first)) : first;
  if (!written) return { kind: "again" };
  noteOutcome(deps, claimed, written.kind === "queued" && first ? first : written, at);
  switch (written.kind) {
    case "queued":
      return DONE;
    case "retry":
      deps.telemetry.count("Retries");
      return again();
    case "ended":
      if (written.ending === "dead") await deadLetter(deps, claimed.record, written.reason);
      return DONE;
  }
}

/** Says in the log and the metrics what became of a job. `at`: when its run had done all of its sends. */
export function noteOutcome(
  { telemetry }: Pick<SettleDeps, "telemetry">,
  { record, job, runId }: Claimed,
  outcome: Outcome,
  at: number,
): void {
  logOutcome(telemetry, job, () => jobFields(job, record, runId), outcome, at);
  if (outcome.kind !== "ended") return;
  telemetry.count("Endings");
  if (outcome.ending === "delivered" || outcome.ending === "partial")
    telemetry.observe("TimeToLastSend", at - dueAt(job.message), record.lane);
}

/**
 * Writes the outcome, or the ending `cancelled` if a cancel came first. Returns what it wrote; undefined if another
 * run has the lease, so that nothing was written. A message that ends undelivered is taken out of its stream before:
 * nobody takes over one that has ended.
 */
async function write<O extends Outcome>(
  deps: SettleDeps,
  { job, lease, found }: Claimed,
  outcome: O,
): Promise<O | Extract<Outcome, { kind: "ended" }> | undefined> {
  const settleAs = async (next: Outcome) => {
    if (next.kind === "ended" && (next.ending === "cancelled" || next.ending === "expired"))
      await deps.empty(job);
    return deps.receipts.settle(job, lease.run, next, deps.clock.now());
  };
  const settled = await settleAs(outcome);
  if (settled === "written") return outcome;
  if (settled === "superseded") return undefined;
  const progress = outcome.kind === "retry" ? outcome.progress : found;
  const cancelled = { kind: "ended", ending: "cancelled", progress } as const;
  return (await settleAs(cancelled)) === "superseded" ? undefined : cancelled;
}

/** Sends one job per range to the fanout lane. If the lane did not store them all, the split is tried again. */
async function enqueue({ queue }: SettleDeps, { job, found }: Claimed, { ranges }: Split): Promise<Final> {
  return (await queueJobs(queue, job, ranges))
    ? { kind: "queued" }
    : { kind: "retry", progress: found, reason: "the fanout lane did not take all jobs" };
}

async function deadLetter({ queue, telemetry }: SettleDeps, record: Received, reason?: string) {
  await queue.deadLetter(record.lane, bodyTextOf(record), reason ?? "its connections stayed busy");
  telemetry.count("DeadLetters");
}
