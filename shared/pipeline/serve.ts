import type { LimitFunction } from "p-limit";
import { WHOLE } from "../domain/hash-range.ts";
import { CONNECTING } from "../domain/limits.ts";
import type { Job } from "../domain/message.ts";
import { messageFrame } from "../domain/message-frame.ts";
import type { DeliveryPolicy } from "../domain/policy.ts";
import { endingOf, type Progress, type Recipient } from "../domain/receipt.ts";
import { tagsFor } from "../domain/target.ts";
import type { Clock, Connections, Outcome, Receipts } from "../ports.ts";
import { type DeliverDeps, type Delivered, deliver, type StopReason } from "./deliver.ts";
import { forget } from "./forget.ts";
import { NOBODY, type RouteDeps, route } from "./route.ts";
import { rangesFor } from "./split.ts";

export interface ServeDeps extends DeliverDeps, RouteDeps {
  readonly clock: Clock;
  readonly connections: Pick<Connections, "find" | "close">;
  readonly receipts: Pick<Receipts, "isCancelled">;
  readonly policy: DeliveryPolicy;
}

/** When the run is killed (milliseconds since 1970), and its bound on posts in flight. */
export interface Serving {
  readonly end: number;
  readonly slot: LimitFunction;
}

/** Serves a claimed job: splits it where it is too large for one run, and delivers it where it is not. */
export async function serve(deps: ServeDeps, job: Job, found: Progress, run: Serving): Promise<Outcome> {
  const { message, range = WHOLE } = job;
  const deadline = run.end - deps.policy.reserve;
  const stop = (): StopReason | undefined => {
    const now = deps.clock.now();
    if (message.expiresAt !== undefined && now >= message.expiresAt) return "expired";
    return now >= deadline ? "deadline" : undefined;
  };
  if (stop() === "expired") return { kind: "ended", ending: "expired", progress: found };
  // The claim has looked at the job's own row; a cancel is on the message's.
  if (job.range && (await deps.receipts.isCancelled(job))) {
    return { kind: "ended", ending: "cancelled", progress: found };
  }
  const { from } = found;
  const audience = from === undefined ? NOBODY : await route(deps, message.target, { from, to: range.to });
  if (isUntouched(found)) {
    const ranges = rangesFor(audience.estimate, range, deps.policy);
    if (ranges.length > 0) return { kind: "split", ranges };
  }
  const delivered = await deliver(deps, {
    frame: Buffer.from(JSON.stringify(messageFrame(message))),
    progress: found,
    pages: audience.pages(),
    slot: run.slot,
    forget: async (gone: Recipient) => {
      if (deps.clock.now() < gone.connectedAt + CONNECTING) return;
      await forget(deps, gone, tagsFor(message.target)).catch((fault: unknown) =>
        deps.telemetry.warn("connection not forgotten", {}, fault),
      );
    },
    stop,
    isCancelled: () => deps.receipts.isCancelled(job),
  });
  return outcomeOf(delivered);
}

/** Only what nobody has begun can be split: the row of a split message stands for its jobs. */
const isUntouched = ({ counts: { sent, gone, failed }, pending }: Progress): boolean =>
  sent + gone + failed + pending.length === 0;

function outcomeOf({ progress, stopped, reason }: Delivered): Outcome {
  const why = reason ?? (stopped === "deadline" ? "the run's time was up" : undefined);
  const told = why === undefined ? {} : { reason: why };
  if (stopped === "expired" || stopped === "cancelled") return { kind: "ended", ending: stopped, progress };
  if (progress.pending.length > 0 || progress.from !== undefined) return { kind: "retry", progress, ...told };
  const ending = endingOf(progress.counts);
  return { kind: "ended", ending, progress, ...(progress.counts.failed > 0 ? told : {}) };
}
