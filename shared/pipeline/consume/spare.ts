import type { Claim, Outcome } from "../../ports.ts";
import type { Claimed, SettleDeps } from "./settle.ts";

/**
 * Whether the ending of a job need not be written: its receipt keeps failures only, and it was delivered by the first run
 * that claimed it. One that was received before is settled in full, so that it is delivered twice at most; so is what was
 * split, since its receipt is folded from all its jobs.
 */
export const isSpared = (
  { record, job }: Claimed,
  { progress, deaths }: Extract<Claim, { kind: "claimed" }>,
  outcome: Outcome,
): boolean =>
  job.message.keeps === "failures" &&
  job.range === undefined &&
  record.receive === 1 &&
  progress === undefined &&
  deaths === 0 &&
  outcome.kind === "ended" &&
  outcome.ending === "delivered";

/** An ending that was not written. */
export interface Spared {
  readonly claimed: Claimed;
  readonly outcome: Outcome;
}

/**
 * Writes the endings that were spared, before the run does what may kill it: all that it has not settled is received
 * again then.
 */
export const writeSpared = (
  { receipts, clock, telemetry }: Pick<SettleDeps, "receipts" | "clock" | "telemetry">,
  spared: Spared[],
): Promise<unknown> =>
  Promise.all(
    spared.splice(0).map(async ({ claimed: { record, job, lease }, outcome }) => {
      try {
        await receipts.settle(job, lease.run, outcome, clock.now());
      } catch (fault) {
        telemetry.warn("outcome not written", { lane: record.lane, receive: record.receive }, fault);
      }
    }),
  );
