import pLimit, { type LimitFunction } from "p-limit";
import { backoff } from "../domain/backoff.ts";
import { messageOf } from "../domain/errors.ts";
import { WHOLE } from "../domain/hash-range.ts";
import type { Lane } from "../domain/lane.ts";
import { VISIBILITY_SECONDS } from "../domain/limits.ts";
import { type Job, parseJob } from "../domain/message.ts";
import { type Counts, NO_PROGRESS, type Progress } from "../domain/receipt.ts";
import type { Lease, MessageQueue, Outcome, Receipts } from "../ports.ts";
import { type ServeDeps, serve } from "./serve.ts";
import { queueJobs } from "./split.ts";

export interface ConsumeDeps extends ServeDeps {
  readonly queue: MessageQueue;
  readonly receipts: Receipts;
  readonly newId: () => string;
  /** Receives before a message is given up. */
  readonly maxReceives: number;
  /** Receives before SQS moves it to the dead-letter queue, whatever we do: at least as many. */
  readonly redriveReceives: number;
}

/** One message as SQS hands it over. */
export interface Received {
  readonly messageId: string;
  readonly lane: Lane;
  readonly body: string;
  /** How often it has been received, this time included. */
  readonly receive: number;
  readonly receiptHandle: string;
}

/** A run: its end in milliseconds since 1970, when whatever is under way is killed. */
export interface Run {
  readonly end: number;
}

/** What may be done with a record. done: delete it. again: leave it to SQS, hidden for so many seconds. */
type Verdict = { readonly kind: "done" } | { readonly kind: "again"; readonly seconds?: number };

const DONE: Verdict = { kind: "done" };

/** Milliseconds by which the clocks of two runs may differ: a lease outlives its run by as much. */
const CLOCK_MARGIN = 5_000;

/** Routes and delivers a batch, its records side by side. Answers the ids of those that SQS must keep. */
export async function consume(deps: ConsumeDeps, records: readonly Received[], run: Run): Promise<string[]> {
  const slot = pLimit(deps.policy.postsInFlight);
  const shared = { ...deps, firstPages: new Map() };
  const kept = records.map(async (record) => {
    const verdict = await consumeOne(shared, record, run, slot).catch((fault: unknown): Verdict => {
      deps.telemetry.count("Faults");
      deps.telemetry.warn("record failed", { lane: record.lane, receive: record.receive }, fault);
      return { kind: "again", seconds: retryAfter(deps, record) };
    });
    if (verdict.kind === "done") return [];
    if (verdict.seconds !== undefined) await hide(deps, record, verdict.seconds);
    return [record.messageId];
  });
  return (await Promise.all(kept)).flat();
}

async function consumeOne(
  deps: ConsumeDeps,
  record: Received,
  run: Run,
  slot: LimitFunction,
): Promise<Verdict> {
  const parsed = parseJob(record.body);
  if (!parsed.ok) {
    await bury(deps, record, `${parsed.refusal.code}: ${parsed.refusal.detail}`);
    return DONE;
  }
  const job = parsed.value;
  const lease: Lease = {
    run: deps.newId(),
    until: run.end + CLOCK_MARGIN,
    receive: record.receive,
    last: record.receive >= deps.redriveReceives,
  };
  const claim = await deps.receipts.claim(job, lease, deps.clock.now());
  switch (claim.kind) {
    case "over":
      if (claim.why === "duplicate") deps.telemetry.count("Duplicates");
      return DONE;
    case "leased":
      return { kind: "again", seconds: secondsUntil(deps, claim.until + CLOCK_MARGIN) };
    case "claimed": {
      deps.telemetry.count("Claims");
      const found = claim.progress ?? { ...NO_PROGRESS, from: (job.range ?? WHOLE).from };
      const outcome: Outcome = claim.split
        ? { kind: "split", ranges: claim.split }
        : await serve(deps, job, found, { ...run, slot }).catch((fault: unknown) => {
            deps.telemetry.warn("delivery interrupted", {}, fault);
            return { kind: "retry", progress: found, reason: messageOf(fault) };
          });
      return settle(deps, { record, job, lease, found }, outcome).catch((fault: unknown): Verdict => {
        deps.telemetry.count("Faults");
        deps.telemetry.warn("outcome not written", { lane: record.lane, receive: record.receive }, fault);
        // Its own lease would turn every receive before that away.
        return { kind: "again", seconds: secondsUntil(deps, lease.until + CLOCK_MARGIN) };
      });
    }
  }
}

interface Claimed {
  readonly record: Received;
  readonly job: Job;
  readonly lease: Lease;
  /** What the runs before this one left. */
  readonly found: Progress;
}

/** Writes an outcome, and does with the record what follows from it. */
async function settle(deps: ConsumeDeps, claimed: Claimed, outcome: Outcome): Promise<Verdict> {
  const { record, job, lease, found } = claimed;
  const isLast = record.receive >= deps.maxReceives;
  const written = outcome.kind === "retry" && isLast ? await lastly(deps, claimed, outcome) : outcome;
  const settled = await deps.receipts.settle(job, lease.run, written, deps.clock.now());
  if (settled === "superseded") return { kind: "again" };
  if (settled === "cancelled") {
    const progress = outcome.kind === "retry" ? outcome.progress : found;
    return settle(deps, claimed, { kind: "ended", ending: "cancelled", progress });
  }
  switch (written.kind) {
    case "split": {
      const all = await queueJobs(deps.queue, job, written.ranges);
      const reason = "the fanout lane did not take all jobs";
      return settle(deps, claimed, all ? { kind: "queued" } : { kind: "retry", progress: found, reason });
    }
    case "queued":
      return DONE;
    case "retry":
      deps.telemetry.count("Retries");
      return written.requeued ? DONE : { kind: "again", seconds: retryAfter(deps, record) };
    case "ended":
      deps.telemetry.count("Endings");
      if (written.ending === "dead") await bury(deps, record, written.reason ?? "it ran out of receives");
      return DONE;
  }
}

/**
 * What becomes of a retry after the last receive. SQS counts receives and we mean failures: a run that served
 * somebody is none, so the rest of its work goes back into the lane as an entry of its own.
 */
async function lastly(deps: ConsumeDeps, { record, job, found }: Claimed, retry: Retry): Promise<Outcome> {
  const { from, counts } = retry.progress;
  const served = total(counts) > total(found.counts);
  if (served || from !== found.from) {
    const [taken] = await deps.queue.send(record.lane, [{ job, delaySeconds: retryAfter(deps, record) }]);
    if (taken) return { ...retry, requeued: true };
  }
  const { progress, reason } = retry;
  return { kind: "ended", ending: "dead", progress, ...(reason === undefined ? {} : { reason }) };
}

type Retry = Extract<Outcome, { kind: "retry" }>;

const total = ({ sent, gone, failed }: Counts): number => sent + gone + failed;

async function bury({ queue, telemetry }: ConsumeDeps, { lane, body }: Received, reason: string) {
  await queue.bury(lane, body, reason);
  telemetry.count("DeadLetters");
}

const retryAfter = ({ policy, random }: ConsumeDeps, { receive }: Received): number =>
  Math.max(1, Math.ceil(backoff(receive - 1, policy.backoff, random())));

const secondsUntil = ({ clock }: ConsumeDeps, time: number): number =>
  Math.max(1, Math.ceil((time - clock.now()) / 1000));

async function hide(deps: ConsumeDeps, { lane, receiptHandle }: Received, seconds: number): Promise<void> {
  const bounded = Math.min(Math.max(0, seconds), VISIBILITY_SECONDS);
  await deps.queue.hide(lane, receiptHandle, bounded).catch((fault: unknown) => {
    deps.telemetry.warn("visibility not changed", { lane }, fault);
  });
}
