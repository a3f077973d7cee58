import type { LimitFunction } from "p-limit";
import { backoff } from "../domain/backoff.ts";
import { messageOf } from "../domain/errors.ts";
import { after } from "../domain/hash-range.ts";
import { METERED_BYTES } from "../domain/limits.ts";
import type { DeliveryPolicy } from "../domain/policy.ts";
import type { Progress, Recipient } from "../domain/receipt.ts";
import type { ConnectionId } from "../domain/tag.ts";
import type { Clock, Posting, Random, Sockets, Telemetry } from "../ports.ts";
import type { Pace } from "./pace.ts";

export interface DeliverDeps {
  readonly sockets: Sockets;
  readonly clock: Clock;
  readonly pace: Pace;
  readonly random: Random;
  readonly policy: Pick<DeliveryPolicy, "postAttempts" | "pause" | "pendingLimit">;
  readonly telemetry: Telemetry;
}

export interface Delivery {
  readonly frame: Uint8Array;
  /** What earlier runs left. */
  readonly progress: Progress;
  /** Whom to serve beyond the pending ones. */
  readonly pages: AsyncIterable<readonly Posting[]>;
  /** The run's bound on posts in flight, shared by all its deliveries. */
  readonly slot: LimitFunction;
  /** Deletes the rows of a connection that turned out to be gone. Never throws. */
  readonly forget: (gone: Recipient) => Promise<void>;
  /** Why no further post may start, asked before each; undefined while posts may. */
  readonly stop: () => StopReason | undefined;
  /** Asked before each page but the first, and before each round of retries. */
  readonly isCancelled: () => Promise<boolean>;
}

export type StopReason = "deadline" | "expired";

export interface Delivered {
  readonly progress: Progress;
  /** Why it ended with connections left that could still be served. */
  readonly stopped?: StopReason | "cancelled" | "crowded" | "fault";
  /** What the last busy post said, or the fault. */
  readonly reason?: string;
}

/** Connections that failed for good are named on the receipt up to this many; the count tells the rest. */
const NAMED = 100;

/** Posts one frame to all its recipients, a bounded number at a time, and says what is left to do. */
export async function deliver(deps: DeliverDeps, delivery: Delivery): Promise<Delivered> {
  const { frame, progress, slot, stop } = delivery;
  const counts = { ...progress.counts };
  const failed: ConnectionId[] = [...progress.failed];
  let busy: Recipient[] = [];
  let from = progress.from;
  let reason: string | undefined;

  const takeTurn = async (): Promise<void> => {
    const wait = deps.pace.turn(deps.clock.now());
    if (wait > 0) await deps.clock.pause(wait);
  };
  const post = async (recipient: Recipient): Promise<void> => {
    // Asked before the wait too: at a slow pace, those who are left would outwait the run.
    if (!stop()) await takeTurn();
    if (stop()) {
      busy.push(recipient);
      return;
    }
    const ending = await deps.sockets.send(recipient.connectionId, frame);
    deps.pace.learn(ending);
    switch (ending.kind) {
      case "sent":
        counts.sent++;
        return;
      case "gone":
        counts.gone++;
        await delivery.forget(recipient);
        return;
      case "throttled":
      case "unavailable":
        deps.telemetry.count("PostsBusy");
        reason = ending.reason;
        busy.push(recipient);
        return;
      case "refused":
        deps.telemetry.count("PostsRefused");
        reason = ending.reason;
        counts.failed++;
        if (failed.length < NAMED) failed.push(recipient.connectionId);
        return;
    }
  };
  // A slot is taken for one post after another, not for each: it costs as much as a post.
  const postAll = async (recipients: readonly Recipient[]): Promise<void> => {
    const waiting = recipients.values();
    const postInTurn = async () => {
      for (const recipient of waiting) await post(recipient);
    };
    const lines = Math.min(slot.concurrency, recipients.length);
    await Promise.all(Array.from({ length: lines }, () => slot(postInTurn)));
  };

  const serve = async (): Promise<Delivered["stopped"]> => {
    const already = stop();
    if (already) {
      busy.push(...progress.pending);
      return already;
    }
    await postAll(progress.pending);
    let first = true;
    for await (const page of delivery.pages) {
      if (!first && (await delivery.isCancelled())) return "cancelled";
      if (busy.length >= deps.policy.pendingLimit) return "crowded";
      const stopped = stop();
      if (stopped) return stopped;
      await postAll(page);
      const last = page.at(-1);
      if (last) from = after(last.key);
      first = false;
    }
    from = undefined;
    for (let attempt = 1; attempt < deps.policy.postAttempts && busy.length > 0 && !stop(); attempt++) {
      await deps.clock.pause(backoff(attempt - 1, deps.policy.pause, deps.random()));
      if (await delivery.isCancelled()) return "cancelled";
      const again = busy;
      busy = [];
      await postAll(again);
    }
    return busy.length > 0 ? stop() : undefined;
  };

  const stopped = await serve().catch((fault: unknown) => {
    deps.telemetry.warn("delivery interrupted", {}, fault);
    reason = messageOf(fault);
    return "fault" as const;
  });
  const sent = counts.sent - progress.counts.sent;
  deps.telemetry.count("FramesSent", sent);
  deps.telemetry.count("MeteredUnits", sent * Math.ceil(frame.length / METERED_BYTES));
  deps.telemetry.count("ConnectionsGone", counts.gone - progress.counts.gone);
  return {
    progress: { counts, pending: busy, ...(from === undefined ? {} : { from }), failed },
    ...(stopped ? { stopped } : {}),
    ...(reason === undefined ? {} : { reason }),
  };
}
