import type { LimitFunction } from "p-limit";
import type { Clock, Connections, LogFields, Outcome, Receipts } from "../../ports.ts";
import type { Lane } from "../../protocol/lane.ts";
import { CONNECTING } from "../../protocol/limits.ts";
import { frameText } from "../../protocol/message-frame.ts";
import { tagsFor } from "../../protocol/target.ts";
import { WHOLE } from "../../receipts/hash-range.ts";
import type { Job } from "../../receipts/job.ts";
import { endingOf, type Progress, type Recipient } from "../../receipts/receipt.ts";
import type { DeliveryPolicy } from "../../settings/policy.ts";
import { withSeq } from "../../streams/reply.ts";
import { deliver } from "../deliver/deliver.ts";
import type { DeliverDeps, Delivered, StopReason } from "../deliver/delivery.ts";
import { type Audience, NO_AUDIENCE, type RouteDeps, route } from "../route/route.ts";
import { removeConnection } from "../socket/remove-connection.ts";
import { rangesFor } from "./split.ts";
import { dueAt } from "./steps.ts";

export interface ProcessJobDeps extends DeliverDeps, RouteDeps {
  readonly clock: Clock;
  readonly connections: Pick<Connections, "find" | "delete">;
  readonly receipts: Pick<Receipts, "withdrawal">;
  readonly policy: DeliveryPolicy;
}

/** What a job is processed in. */
export interface RunContext {
  /** The time at which the run is killed, in milliseconds since 1970. */
  readonly end: number;
  /** Limits the sends in flight of the run. */
  readonly limiter: LimitFunction;
  /** What the log says of the job. */
  readonly fields: () => LogFields;
  /** The audience of the whole job, if it was opened beside the claim. */
  readonly opened?: Promise<Audience> | undefined;
  readonly lane?: Lane;
}

/** Splits a claimed job if it is too large for one run, and delivers it otherwise. Returns the outcome to write. */
export async function processJob(
  deps: ProcessJobDeps,
  job: Job,
  found: Progress,
  run: RunContext,
): Promise<Outcome> {
  const { message, range = WHOLE } = job;
  const deadline = run.end - deps.policy.reserveMilliseconds;
  const stop = (): StopReason | undefined => {
    const now = deps.clock.now();
    if (now >= message.expiresAt) return "expired";
    if (now >= deadline) return "deadline";
    return deps.gateway.isDown() ? "gateway-down" : undefined;
  };
  if (stop() === "expired") return { kind: "ended", ending: "expired", progress: found };
  // The claim read the job's own row, but a cancel is on the message's row.
  const withdrawn = job.range && (await deps.receipts.withdrawal(job));
  if (withdrawn) return { kind: "ended", ending: withdrawn, progress: found };
  const { from } = found;
  const audience = await audienceFrom(deps, job, from, run.opened);
  if (isUntouched(found)) {
    const ranges = rangesFor(audience.estimate, range, deps.policy);
    if (ranges.length > 0) return { kind: "split", ranges };
  }
  const delivered = await deliver(deps, {
    frame: frameOf(job),
    fields: run.fields,
    progress: stop() ? found : await withoutEnded(deps, found, run.limiter),
    pages: audience.pages(),
    limiter: run.limiter,
    removeConnection: async (gone: Recipient) => {
      if (deps.clock.now() < gone.connectedAt + CONNECTING) return;
      await removeConnection(deps, gone, tagsFor(message.target)).catch((fault: unknown) => {
        const { connectionId } = gone;
        deps.telemetry.warn("connection not forgotten", { ...run.fields(), connectionId }, fault);
      });
    },
    stop,
    onFirstSend: () => deps.telemetry.observe("TimeToFirstSend", deps.clock.now() - dueAt(message), run.lane),
    withdrawal: () => deps.receipts.withdrawal(job),
  });
  return outcomeOf(deps, delivered, found);
}

/** Opens what is left of the audience of a job: none if it was read to its end. */
async function audienceFrom(
  deps: RouteDeps,
  { message: { target }, range = WHOLE }: Job,
  from: string | undefined,
  opened: Promise<Audience> | undefined,
): Promise<Audience> {
  if (from === undefined) return NO_AUDIENCE;
  return opened && from === range.from ? opened : route(deps, target, { from, to: range.to });
}

/**
 * Connections may be pending for as long as a message lives: those whose token has ended meanwhile receive nothing any
 * more, and count as gone.
 */
async function withoutEnded(
  { connections, clock }: Pick<ProcessJobDeps, "connections" | "clock">,
  found: Progress,
  limiter: LimitFunction,
): Promise<Progress> {
  if (found.pending.length === 0) return found;
  const now = clock.now();
  const isThere = ({ connectionId, connectedAt }: Recipient) =>
    limiter(async () => (await connections.find(connectionId, now))?.connectedAt === connectedAt);
  const there = await Promise.all(found.pending.map(isThere));
  const pending = found.pending.filter((_, index) => there[index]);
  const gone = found.counts.gone + found.pending.length - pending.length;
  return { ...found, pending, counts: { ...found.counts, gone } };
}

function frameOf({ message, seq }: Job): Uint8Array {
  const frame = frameText(message);
  return Buffer.from(seq === undefined ? frame : withSeq(frame, seq));
}

/** Only a job without progress can be split, since a split row has no progress of its own. */
const isUntouched = ({ counts: { sent, gone, failed }, pending }: Progress): boolean =>
  sent + gone + failed + pending.length === 0;

async function outcomeOf(deps: ProcessJobDeps, delivered: Delivered, found: Progress): Promise<Outcome> {
  const { progress, stopped } = delivered;
  const why = delivered.reason ?? (stopped ? STOPPED[stopped] : undefined);
  const reason = why === undefined ? {} : { reason: why };
  if (stopped === "expired" || stopped === "cancelled" || stopped === "replaced") {
    return { kind: "ended", ending: stopped, progress };
  }
  if (progress.pending.length === 0 && progress.from === undefined) {
    const ending = endingOf(progress.counts);
    return { kind: "ended", ending, progress, ...(progress.counts.failed > 0 ? reason : {}) };
  }
  if (!isRound(delivered, found) || (await deps.gateway.state()) !== "up") {
    return { kind: "retry", progress, ...reason };
  }
  const counted = { ...progress, rounds: progress.rounds + 1 };
  return counted.rounds < deps.policy.deliveryRounds
    ? { kind: "retry", progress: counted, ...reason }
    : { kind: "ended", ending: "dead", progress: counted, ...reason };
}

const STOPPED: Readonly<Record<NonNullable<Delivered["stopped"]>, string | undefined>> = {
  deadline: "the Lambda invocation ran out of time",
  "gateway-down": "the gateway does not answer",
  "pending-limit": "too many connections are busy",
  waiting: "another message is on its way to the connection",
  expired: undefined,
  cancelled: undefined,
  replaced: undefined,
  fault: undefined,
};

/**
 * Returns true if the run counts as a round: it sent to every pending connection as often as it may, so only they are
 * at fault. A run that stopped at the limit of pending connections is a round only if it made no progress.
 */
function isRound({ stopped, progress }: Delivered, found: Progress): boolean {
  if (stopped === undefined) return true;
  return stopped === "pending-limit" && progress.from === found.from && total(progress) === total(found);
}

const total = ({ counts: { sent, gone, failed } }: Progress): number => sent + gone + failed;
