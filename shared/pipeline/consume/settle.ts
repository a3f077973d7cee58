import type { Clock, Lease, MessageQueue, Outcome, Receipts, Telemetry } from "../../ports.ts";
import type { Job } from "../../receipts/job.ts";
import type { Progress } from "../../receipts/receipt.ts";
import { DONE, type Received, type Verdict } from "./record.ts";
import { queueJobs } from "./split.ts";

export interface SettleDeps {
  readonly receipts: Pick<Receipts, "settle">;
  readonly queue: Pick<MessageQueue, "send" | "deadLetter">;
  readonly clock: Pick<Clock, "now">;
  readonly telemetry: Telemetry;
}

/** A job that this run holds. */
export interface Claimed {
  readonly record: Received;
  readonly job: Job;
  readonly lease: Lease;
  /** What the runs before this one left. */
  readonly found: Progress;
}

/** Writes an outcome, and does with the record what follows from it. */
export async function settle(
  deps: SettleDeps,
  claimed: Claimed,
  outcome: Outcome,
  again: () => Verdict,
): Promise<Verdict> {
  const { record, job, lease, found } = claimed;
  const settled = await deps.receipts.settle(job, lease.run, outcome, deps.clock.now());
  if (settled === "superseded") return { kind: "again" };
  if (settled === "cancelled") {
    const progress = outcome.kind === "retry" ? outcome.progress : found;
    return settle(deps, claimed, { kind: "ended", ending: "cancelled", progress }, again);
  }
  switch (outcome.kind) {
    case "split": {
      const all = await queueJobs(deps.queue, job, outcome.ranges);
      const reason = "the fanout lane did not take all jobs";
      return settle(
        deps,
        claimed,
        all ? { kind: "queued" } : { kind: "retry", progress: found, reason },
        again,
      );
    }
    case "queued":
      return DONE;
    case "retry":
      deps.telemetry.count("Retries");
      return again();
    case "ended":
      deps.telemetry.count("Endings");
      if (outcome.ending === "dead") {
        await deps.queue.deadLetter(
          record.lane,
          record.body,
          outcome.reason ?? "its connections stayed busy",
        );
        deps.telemetry.count("DeadLetters");
      }
      return DONE;
  }
}
