import pLimit, { type LimitFunction } from "p-limit";
import { backoff } from "../../backoff.ts";
import type { Lease, MessageQueue, Outcome, Receipts } from "../../ports.ts";
import { messageOf } from "../../protocol/errors.ts";
import { MAX_RECEIVES, VISIBILITY_SECONDS } from "../../protocol/limits.ts";
import { WHOLE } from "../../receipts/hash-range.ts";
import type { Job } from "../../receipts/job.ts";
import { type ReadBody, readBody } from "../../receipts/job-body.ts";
import { NO_PROGRESS, type Progress } from "../../receipts/receipt.ts";
import { partOf } from "../../receipts/row.ts";
import { CLOCK_MARGIN } from "../../settings/policy.ts";
import { type ProcessJobDeps, processJob } from "./process-job.ts";
import { DONE, type Received, type RecordResult } from "./record.ts";
import { settle } from "./settle.ts";

export interface ConsumeDeps extends ProcessJobDeps {
  readonly queue: MessageQueue;
  readonly receipts: Receipts;
  readonly newId: () => string;
  /** The visibility timeout in seconds. */
  readonly visibilitySeconds: number;
}

/** A run. Lambda kills it at `end`, in milliseconds since 1970. */
export interface Run {
  readonly end: number;
}

/** Seconds until the next receive of a message that a newer deployment wrote. */
const NEWER_SECONDS = 60;

/** Maximum seconds until the next receive of a suspect that this batch does not process. */
const SUSPECT_SECONDS = 30;

type Again = Extract<RecordResult, { kind: "again" }>;

/** The state shared by all records of a run. */
interface Shared {
  readonly deps: ConsumeDeps;
  readonly run: Run;
  readonly limiter: LimitFunction;
  /** The end of the records' visibility timeout, if this run dies. */
  readonly returnsAt: number;
}

/**
 * Processes the records of a batch concurrently. Of the suspects, whose earlier runs died, it processes one, after the
 * other records, so that a record that kills this run too delays no other. Returns the ids of the records that SQS keeps.
 */
export async function consume(deps: ConsumeDeps, records: readonly Received[], run: Run): Promise<string[]> {
  if (deps.gateway.isDown() && (await deps.gateway.state()) === "down") deps.telemetry.count("GatewayDown");
  const shared: Shared = {
    deps: { ...deps, firstPages: new Map() },
    run,
    limiter: pLimit(deps.policy.sendsInFlight),
    returnsAt: deps.clock.now() + deps.visibilitySeconds * 1000 - CLOCK_MARGIN,
  };
  const kept: string[] = [];
  const suspects: { readonly record: Received; readonly rank: number }[] = [];
  const finish = async (record: Received, result: RecordResult): Promise<void> => {
    if (result.kind === "suspect") suspects.push({ record, rank: result.deaths + deps.random() });
    if (result.kind !== "again") return;
    kept.push(record.messageId);
    if (result.seconds !== undefined) await changeVisibility(deps, record, result.seconds);
  };
  // A batch may contain a message twice: the second copy waits, and finds the outcome of the first.
  const turns = new Map<string, Promise<void>>();
  const concluded = records.map((record) => {
    const body = readBody(record.body);
    const key =
      body.kind === "job" ? `${body.job.message.acceptanceId} ${partOf(body.job)}` : record.messageId;
    const turn = (turns.get(key) ?? Promise.resolve()).then(async () =>
      finish(record, await guarded(shared, record, body, false)),
    );
    turns.set(key, turn);
    return turn;
  });
  await Promise.all(concluded);

  const hasTime = deps.clock.now() < run.end - deps.policy.reserveMilliseconds;
  const [first, ...others] = suspects.sort((a, b) => a.rank - b.rank).map(({ record }) => record);
  const waiting = hasTime || !first ? others : [first, ...others];
  await Promise.all(waiting.map((record) => finish(record, within(SUSPECT_SECONDS, deps.random()))));
  if (first && hasTime) await finish(first, await guarded(shared, first, readBody(first.body), true));
  return kept;
}

const within = (seconds: number, random: number): RecordResult => ({
  kind: "again",
  seconds: 1 + Math.floor(random * seconds),
});

/** Returns a record that throws to SQS, so that it does not affect the others. */
function guarded(shared: Shared, record: Received, body: ReadBody, suspects: boolean): Promise<RecordResult> {
  const { deps } = shared;
  return consumeOne(shared, record, body, suspects).catch((fault: unknown): RecordResult => {
    deps.telemetry.count("Faults");
    deps.telemetry.warn("record failed", { lane: record.lane, receive: record.receive }, fault);
    return withinVisibility(shared, again(deps, record));
  });
}

async function consumeOne(
  shared: Shared,
  record: Received,
  body: ReadBody,
  suspects: boolean,
): Promise<RecordResult> {
  const { deps, run } = shared;
  if (body.kind === "newer") return { kind: "again", seconds: NEWER_SECONDS };
  if (body.kind === "invalid") {
    await deps.queue.deadLetter(record.lane, record.body, body.reason);
    deps.telemetry.count("DeadLetters");
    return DONE;
  }
  const { job } = body;
  const now = deps.clock.now();
  // Its neighbours, or an earlier copy of it in the batch, may have found that out.
  if (deps.gateway.isDown() && now < job.message.expiresAt) return again(deps, record);
  const lease: Lease = {
    run: deps.newId(),
    entryId: record.messageId,
    until: run.end + CLOCK_MARGIN,
    returnsAt: shared.returnsAt,
    receive: record.receive,
    onFinalReceive: record.receive >= MAX_RECEIVES,
    suspects,
  };
  const claim = await deps.receipts.claim(job, lease, now);
  switch (claim.kind) {
    case "over":
      if (claim.why === "duplicate") deps.telemetry.count("Duplicates");
      return DONE;
    case "leased":
      return { kind: "again", seconds: secondsUntil(deps, claim.until + CLOCK_MARGIN) };
    case "suspect":
      return claim;
    case "newer":
      return { kind: "again", seconds: NEWER_SECONDS };
    case "claimed": {
      deps.telemetry.count("Claims");
      const found = claim.progress ?? { ...NO_PROGRESS, from: (job.range ?? WHOLE).from };
      const outcome: Outcome = claim.split
        ? { kind: "split", ranges: claim.split }
        : await process(shared, job, found, claim.deaths);
      return settle(deps, { record, job, lease, found }, outcome, () => again(deps, record)).catch(
        (fault: unknown): RecordResult => {
          deps.telemetry.count("Faults");
          deps.telemetry.warn("outcome not written", { lane: record.lane, receive: record.receive }, fault);
          // Until then this run's lease would refuse every claim.
          return { kind: "again", seconds: secondsUntil(deps, lease.until + CLOCK_MARGIN) };
        },
      );
    }
  }
}

async function process({ deps, run, limiter }: Shared, job: Job, found: Progress, deaths: number) {
  if (deaths >= deps.policy.deathLimit) {
    deps.telemetry.count("Deaths", deaths);
    return dead(found, `${deaths} runs died while they processed it`);
  }
  return processJob(deps, job, found, { ...run, limiter }).catch((fault: unknown): Outcome => {
    deps.telemetry.warn("delivery interrupted", {}, fault);
    return { kind: "retry", progress: found, reason: messageOf(fault) };
  });
}

const dead = (progress: Progress, reason: string): Outcome => ({
  kind: "ended",
  ending: "dead",
  progress,
  reason,
});

/**
 * A claim whose response was lost may have taken the lease. So the message MUST become visible before its full
 * visibility timeout, or the next claim would count a death.
 */
function withinVisibility({ deps, returnsAt }: Shared, result: Again): Again {
  const longest = secondsUntil(deps, returnsAt - 2 * CLOCK_MARGIN);
  return { kind: "again", seconds: Math.min(result.seconds ?? longest, longest) };
}

/** Exponential back-off with full jitter, by the number of receives. */
const again = ({ policy, random }: ConsumeDeps, { receive }: Received): Again => ({
  kind: "again",
  seconds: Math.max(
    1,
    Math.ceil(
      backoff(receive - 1, { base: policy.backoff.baseSeconds, cap: policy.backoff.capSeconds }, random()),
    ),
  ),
});

const secondsUntil = ({ clock }: ConsumeDeps, time: number): number =>
  Math.max(1, Math.ceil((time - clock.now()) / 1000));

async function changeVisibility(
  deps: ConsumeDeps,
  { lane, receiptHandle }: Received,
  seconds: number,
): Promise<void> {
  const bounded = Math.min(Math.max(0, seconds), VISIBILITY_SECONDS);
  await deps.queue.changeVisibility(lane, receiptHandle, bounded).catch((fault: unknown) => {
    deps.telemetry.warn("visibility not changed", { lane }, fault);
  });
}
