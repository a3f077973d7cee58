import type { LimitFunction } from "p-limit";
import { backoff } from "../../backoff.ts";
import type { Clock, IndexEntry, Random, SendResult, Telemetry } from "../../ports.ts";
import { messageOf } from "../../protocol/errors.ts";
import { METERED_BYTES } from "../../protocol/limits.ts";
import type { ConnectionId } from "../../protocol/tag.ts";
import { after } from "../../receipts/hash-range.ts";
import { NAMED_FAILURES, type Progress, type Recipient } from "../../receipts/receipt.ts";
import type { DeliveryPolicy } from "../../settings/policy.ts";
import type { Waiting } from "./busy-connections.ts";
import type { Gateway } from "./gateway.ts";

export interface DeliverDeps {
  readonly gateway: Gateway;
  readonly clock: Clock;
  readonly random: Random;
  readonly policy: Pick<DeliveryPolicy, "postAttempts" | "pause" | "pendingLimit">;
  readonly telemetry: Telemetry;
}

export interface Delivery {
  readonly frame: Uint8Array;
  /** What earlier runs left. */
  readonly progress: Progress;
  /** Whom to send to beyond the pending ones. */
  readonly pages: AsyncIterable<readonly IndexEntry[]>;
  /** The run's bound on sends in flight, shared by all its deliveries. */
  readonly limiter: LimitFunction;
  /** Deletes the rows of a connection that turned out to be gone. Never throws. */
  readonly removeConnection: (gone: Recipient) => Promise<void>;
  /** Why no further send may start, asked before each; undefined while sends may. */
  readonly stop: () => StopReason | undefined;
  /** Asked before each page but the first, and before each round of retries. */
  readonly isCancelled: () => Promise<boolean>;
}

export type StopReason = "deadline" | "expired" | "gateway-down";

export interface Delivered {
  readonly progress: Progress;
  /** Why it ended with connections left that could still be served. Absent: each was sent to as often as it may be. */
  readonly stopped?: StopReason | "cancelled" | "pending-limit" | "waiting" | "fault";
  /** What the last failed send said, or the fault. */
  readonly reason?: string;
}

/** Sends one frame to all its recipients, a bounded number at a time, and says what is left to do. */
export async function deliver(deps: DeliverDeps, delivery: Delivery): Promise<Delivered> {
  const { progress, stop } = delivery;
  const { policy } = deps;
  const work = sending(deps, delivery);
  let earlier = progress.pending;
  let from = progress.from;

  const sendEarlier = async () => {
    const waiting = earlier;
    earlier = [];
    await work.sendAll(waiting, { isLate: true });
  };
  const run = async (): Promise<Delivered["stopped"]> => {
    const already = stop();
    if (already) return already;
    // Whoever was busy comes last, unless there is no room to remember more of them.
    if (earlier.length >= policy.pendingLimit) await sendEarlier();
    let first = true;
    for await (const page of delivery.pages) {
      if (!first && (await delivery.isCancelled())) return "cancelled";
      if (earlier.length + work.busy().length >= policy.pendingLimit) return "pending-limit";
      const stopped = stop();
      if (stopped) return stopped;
      await work.sendAll(page, { isLate: false });
      const last = page.at(-1);
      if (last) from = after(last.key);
      first = false;
    }
    from = undefined;
    await sendEarlier();
    // Waiting for connections that stay busy would keep the run from other messages.
    const mayRetry = () =>
      !stop() && work.busy().some(({ connectionId }) => !deps.gateway.isBusy(connectionId));
    for (let attempt = 1; attempt < policy.postAttempts && mayRetry(); attempt++) {
      await deps.clock.pause(backoff(attempt - 1, policy.pause, deps.random()));
      if (await delivery.isCancelled()) return "cancelled";
      await work.retry();
    }
    return work.stopped();
  };

  const stopped = await run().catch((fault: unknown) => {
    deps.telemetry.warn("delivery interrupted", {}, fault);
    work.fail(messageOf(fault));
    return "fault" as const;
  });
  const { counts, failed, reason } = work.end();
  return {
    progress: {
      counts,
      pending: [...earlier, ...work.unsent(), ...work.busy()],
      ...(from === undefined ? {} : { from }),
      failed,
      rounds: progress.rounds,
    },
    ...(stopped ? { stopped } : {}),
    ...(reason === undefined ? {} : { reason }),
  };
}

/** The sends of one delivery and what became of them. */
function sending(deps: DeliverDeps, { frame, progress, limiter, stop, removeConnection }: Delivery) {
  const counts = { ...progress.counts };
  const failed: ConnectionId[] = [...progress.failed];
  let busy: Recipient[] = [];
  let unsent: Recipient[] = [];
  let reason: string | undefined;
  let why: StopReason | undefined;
  let waiting = false;

  const onResult = async (recipient: Recipient, result: SendResult | Waiting): Promise<void> => {
    switch (result.kind) {
      case "waiting":
        waiting = true;
        busy.push(recipient);
        return;
      case "sent":
        counts.sent++;
        return;
      case "gone":
        counts.gone++;
        return removeConnection(recipient);
      case "throttled":
      case "unavailable":
        deps.telemetry.count("PostsBusy");
        if ("forbidden" in result) deps.telemetry.count("SendsForbidden");
        reason = result.reason;
        busy.push(recipient);
        return;
      case "refused":
        deps.telemetry.count("PostsRefused");
        reason = result.reason;
        counts.failed++;
        if (failed.length < NAMED_FAILURES) failed.push(recipient.connectionId);
        return;
    }
  };
  const send = async (recipient: Recipient, { isLate }: { isLate: boolean }): Promise<void> => {
    let stopped = stop();
    const options = {
      isLate,
      stop: () => {
        stopped = stop();
        return stopped !== undefined;
      },
    };
    const result = stopped ? undefined : await deps.gateway.send(recipient.connectionId, frame, options);
    if (result) return onResult(recipient, result);
    unsent.push(recipient);
    why = stopped;
  };
  // A slot is taken for one send after another, not for each: it costs as much as a send.
  const sendAll = async (recipients: readonly Recipient[], options: { isLate: boolean }): Promise<void> => {
    const waiting = recipients.values();
    const worker = async () => {
      for (const recipient of waiting) await send(recipient, options);
    };
    const workers = Math.min(limiter.concurrency, recipients.length);
    await Promise.all(Array.from({ length: workers }, () => limiter(worker)));
  };

  return {
    sendAll,
    async retry() {
      const again = [...unsent, ...busy];
      unsent = [];
      busy = [];
      waiting = false;
      await sendAll(again, { isLate: false });
    },
    busy: () => busy,
    unsent: () => unsent,
    /** Why some were not sent to. Undefined: all were. */
    stopped: () => (unsent.length > 0 ? why : waiting ? ("waiting" as const) : undefined),
    fail(detail: string) {
      reason = detail;
    },
    /** Counts what this delivery did, and returns its result. */
    end() {
      const sent = counts.sent - progress.counts.sent;
      deps.telemetry.count("FramesSent", sent);
      deps.telemetry.count("MeteredUnits", sent * Math.ceil(frame.length / METERED_BYTES));
      deps.telemetry.count("ConnectionsGone", counts.gone - progress.counts.gone);
      return { counts, failed, reason };
    },
  };
}
