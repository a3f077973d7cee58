import pLimit, { type LimitFunction } from "p-limit";
import { backoff } from "../domain/backoff.ts";
import { messageFrame } from "../domain/frame.ts";
import { type HashRange, WHOLE } from "../domain/hash-range.ts";
import type { Lane } from "../domain/lane.ts";
import { CONNECTING, VISIBILITY_SECONDS } from "../domain/limits.ts";
import { type Job, parseJob } from "../domain/message.ts";
import type { DeliveryPolicy } from "../domain/policy.ts";
import { endingOf, NO_PROGRESS, type Progress, type Recipient } from "../domain/receipt.ts";
import { expressionOf } from "../domain/target.ts";
import type { Clock, Connections, MessageQueue, Outcome, Receipts } from "../ports.ts";
import { type DeliverDeps, type Delivered, deliver } from "./deliver.ts";
import { forget } from "./forget.ts";
import { type RouteDeps, route } from "./route.ts";

export interface ConsumeDeps extends DeliverDeps, RouteDeps {
  readonly clock: Clock;
  readonly connections: Pick<Connections, "find" | "close">;
  readonly queue: MessageQueue;
  readonly receipts: Receipts;
  readonly newId: () => string;
  readonly policy: DeliveryPolicy;
  /** Receives before SQS moves a message to the dead-letter queue. */
  readonly maxReceives: number;
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

/** A lease outlives its run by this many milliseconds, so that two clocks may differ. */
const LEASE_MARGIN = 5_000;

/** Routes and delivers a batch, its records side by side. Answers the ids of those that SQS must keep. */
export async function consume(deps: ConsumeDeps, records: readonly Received[], run: Run): Promise<string[]> {
  const slot = pLimit(deps.policy.postsInFlight);
  const kept = records.map(async (record) => {
    const verdict = await consumeOne(deps, record, run, slot).catch((fault: unknown): Verdict => {
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
    await deps.queue.bury(record.lane, record.body, `${parsed.refusal.code}: ${parsed.refusal.detail}`);
    deps.telemetry.count("DeadLetters");
    return DONE;
  }
  const job = parsed.value;
  const lease = {
    run: deps.newId(),
    until: run.end + LEASE_MARGIN,
    receive: record.receive,
    last: record.receive >= deps.maxReceives,
  };
  const now = deps.clock.now();
  const claim = await deps.receipts.claim(job, lease, now);
  switch (claim.kind) {
    case "over":
      if (claim.why === "duplicate") deps.telemetry.count("Duplicates");
      return DONE;
    case "leased":
      return { kind: "again", seconds: Math.ceil((claim.until - now) / 1000) };
    case "split":
      return DONE;
    case "claimed": {
      deps.telemetry.count("Claims");
      const delivered = await serve(deps, job, claim.progress, run, slot);
      return settle(deps, record, job, lease.run, outcomeOf(delivered, lease.last));
    }
  }
}

async function serve(
  deps: ConsumeDeps,
  job: Job,
  found: Progress | undefined,
  run: Run,
  slot: LimitFunction,
): Promise<Delivered> {
  const { message, range = WHOLE } = job;
  const progress = found ?? { ...NO_PROGRESS, from: range.from };
  const deadline = run.end - deps.policy.reserve;
  const via = "connection" in message.target ? [] : expressionOf(message.target).all;
  return deliver(deps, {
    frame: Buffer.from(JSON.stringify(messageFrame(message))),
    progress,
    pages: pagesFrom(deps, job, range, progress.from),
    slot,
    forget: async (gone: Recipient) => {
      if (deps.clock.now() < gone.connectedAt + CONNECTING) return;
      await forget(deps, gone, via).catch((fault: unknown) =>
        deps.telemetry.warn("connection not forgotten", {}, fault),
      );
    },
    stop: () => {
      const now = deps.clock.now();
      if (message.expiresAt !== undefined && now >= message.expiresAt) return "expired";
      return now >= deadline ? "deadline" : undefined;
    },
    isCancelled: () => deps.receipts.isCancelled(job),
  });
}

async function* pagesFrom(deps: ConsumeDeps, { message }: Job, { to }: HashRange, from: string | undefined) {
  if (from === undefined) return;
  const audience = await route(deps, message.target, { from, to });
  yield* audience.pages();
}

function outcomeOf({ progress, stopped, reason }: Delivered, last: boolean): Outcome {
  const why = reason ?? (stopped === "deadline" ? "the run's time was up" : undefined);
  const told = why === undefined ? {} : { reason: why };
  if (stopped === "expired" || stopped === "cancelled") return { kind: "ended", ending: stopped, progress };
  if (progress.pending.length === 0 && progress.from === undefined) {
    return {
      kind: "ended",
      ending: endingOf(progress.counts),
      progress,
      ...(progress.counts.failed > 0 ? told : {}),
    };
  }
  return last ? { kind: "ended", ending: "dead", progress, ...told } : { kind: "retry", progress, ...told };
}

async function settle(
  deps: ConsumeDeps,
  record: Received,
  job: Job,
  run: string,
  outcome: Outcome,
): Promise<Verdict> {
  const settled = await deps.receipts.settle(job, run, outcome, deps.clock.now());
  if (settled === "superseded") return { kind: "again" };
  if (settled === "cancelled" && outcome.kind === "retry") {
    return settle(deps, record, job, run, { kind: "ended", ending: "cancelled", progress: outcome.progress });
  }
  if (outcome.kind === "retry") {
    deps.telemetry.count("Retries");
    return { kind: "again", seconds: retryAfter(deps, record) };
  }
  deps.telemetry.count("Endings");
  if (outcome.kind !== "ended" || outcome.ending !== "dead") return DONE;
  deps.telemetry.count("DeadLetters");
  return { kind: "again", seconds: 0 };
}

const retryAfter = ({ policy, random }: ConsumeDeps, { receive }: Received): number =>
  Math.max(1, Math.ceil(backoff(receive - 1, policy.backoff, random())));

async function hide(deps: ConsumeDeps, { lane, receiptHandle }: Received, seconds: number): Promise<void> {
  const bounded = Math.min(Math.max(0, seconds), VISIBILITY_SECONDS);
  await deps.queue.hide(lane, receiptHandle, bounded).catch((fault: unknown) => {
    deps.telemetry.warn("visibility not changed", { lane }, fault);
  });
}
