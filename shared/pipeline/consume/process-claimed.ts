import type { Claim, Outcome } from "../../ports.ts";
import { messageOf } from "../../protocol/errors.ts";
import type { Job } from "../../receipts/job.ts";
import type { Progress } from "../../receipts/receipt.ts";
import type { Audience } from "../route/route.ts";
import { type ProcessJobDeps, processJob, type RunContext } from "./process-job.ts";
import type { StreamMember } from "./stream-batch.ts";

/** A job that this run has claimed. */
export interface ClaimedJob {
  readonly job: Job;
  readonly claim: Extract<Claim, { kind: "claimed" }>;
  /** The progress that earlier runs wrote. */
  readonly found: Progress;
  /** Absent if its target keeps no stream. */
  readonly member: StreamMember | undefined;
  /** Its audience, if it was opened beside the claim. */
  readonly opened?: Promise<Audience> | undefined;
}

/** What is to be written: the outcome, and the job with its number if it has one by now. */
export interface Processed {
  readonly job: Job;
  readonly outcome: Outcome;
}

/** Appends a message to its stream, unless an earlier run has, and then delivers it. MUST NOT throw. */
export async function processClaimed(
  deps: ProcessJobDeps,
  { job, claim, found, member, opened }: ClaimedJob,
  run: RunContext,
): Promise<Processed> {
  let numbered = withNumber(job, claim.seq);
  try {
    if (claim.split) return { job: numbered, outcome: { kind: "split", ranges: claim.split } };
    if (claim.deaths >= deps.policy.deathLimit) {
      deps.telemetry.count("Deaths", claim.deaths);
      return { job: numbered, outcome: dead(found, claim.deaths) };
    }
    if (member && numbered.seq === undefined) {
      if (claim.after !== undefined) numbered = withNumber(job, await member.find(claim.after));
      // An expired message gets no number any more.
      if (numbered.seq === undefined && deps.clock.now() < job.message.expiresAt) {
        numbered = withNumber(job, await member.append());
        if (numbered.seq === undefined) return { job, outcome: retry(found, NOT_APPENDED) };
      }
    }
    member?.leave();
    return { job: numbered, outcome: await processJob(deps, numbered, found, { opened, ...run }) };
  } catch (fault) {
    deps.telemetry.warn("delivery interrupted", run.fields(), fault);
    return { job: numbered, outcome: retry(found, messageOf(fault)) };
  } finally {
    member?.leave();
  }
}

const NOT_APPENDED = "the run could not append it to its stream in time";

const withNumber = (job: Job, seq: number | undefined): Job => {
  if (seq === undefined) return job;
  const { message, range } = job;
  return { message, ...(range === undefined ? {} : { range }), seq };
};

const retry = (progress: Progress, reason: string): Outcome => ({ kind: "retry", progress, reason });

const dead = (progress: Progress, deaths: number): Outcome => ({
  kind: "ended",
  ending: "dead",
  progress,
  reason: `${deaths} runs died while they processed it`,
});
