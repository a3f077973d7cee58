import type { Awaitable, SendResult } from "../../ports.ts";
import { METERED_BYTES } from "../../protocol/limits.ts";
import type { ConnectionId } from "../../protocol/tag.ts";
import { type Counts, NAMED_FAILURES, type Recipient } from "../../receipts/receipt.ts";
import type { Waiting } from "./busy-connections.ts";
import type { DeliverDeps, Delivery, StopReason } from "./delivery.ts";
import type { Gateway } from "./gateway.ts";

/** The workers that send one delivery's frame, and the results of their sends. */
export interface SendPool {
  /** Sends to each recipient once. Resolves after the last result. MUST be called once at a time. */
  sendAll(recipients: readonly Recipient[], options: { readonly isLate: boolean }): Promise<void>;
  /** Sends again to the busy and the unsent connections. */
  retry(): Promise<void>;
  /** The connections whose last send failed in a way that may pass. */
  busy(): readonly Recipient[];
  /** The connections that were not sent to because the delivery had to stop. */
  unsent(): readonly Recipient[];
  /** Why some connections were not sent to; undefined if all were. */
  stopped(): StopReason | "waiting" | undefined;
  fail(reason: string): void;
  /** Counts the sends in the metrics, and returns the totals. */
  end(): {
    readonly counts: Counts;
    readonly failed: readonly ConnectionId[];
    readonly reason: string | undefined;
  };
}

export function sendPool(
  { gateway, telemetry }: Pick<DeliverDeps, "gateway" | "telemetry">,
  { frame, progress, limiter, stop, removeConnection, onFirstSend }: Delivery,
): SendPool {
  const { sent, gone, failed: refused } = progress.counts;
  const counts = { sent, gone, failed: refused };
  const failed: ConnectionId[] = [...progress.failed];
  let busy: Recipient[] = [];
  let unsent: Recipient[] = [];
  let reason: string | undefined;
  let stopReason: StopReason | undefined;
  let isWaiting = false;

  const onResult = (recipient: Recipient, result: SendResult | Waiting): Awaitable<void> => {
    switch (result.kind) {
      case "waiting":
        isWaiting = true;
        busy.push(recipient);
        return;
      case "sent":
        if (counts.sent++ === 0) onFirstSend?.();
        return;
      case "gone":
        counts.gone++;
        return removeConnection(recipient);
      case "throttled":
      case "unavailable":
        telemetry.count("SendsBusy");
        if ("forbidden" in result) telemetry.count("SendsForbidden");
        reason = result.reason;
        busy.push(recipient);
        return;
      case "refused":
        telemetry.count("SendsRefused");
        reason = result.reason;
        counts.failed++;
        if (failed.length < NAMED_FAILURES) failed.push(recipient.connectionId);
        return;
    }
  };

  const mustStop = (): boolean => {
    const stopped = stop();
    if (stopped) stopReason = stopped;
    return stopped !== undefined;
  };
  const conclude = (recipient: Recipient, result: SendResult | Waiting | undefined): Awaitable<void> => {
    if (result) return onResult(recipient, result);
    unsent.push(recipient);
  };
  const send = (recipient: Recipient, options: Parameters<Gateway["send"]>[2]): Awaitable<void> => {
    if (mustStop()) return conclude(recipient, undefined);
    const sending = gateway.send(recipient.connectionId, frame, options);
    return sending instanceof Promise
      ? sending.then((result) => conclude(recipient, result))
      : conclude(recipient, sending);
  };

  // A worker takes one place in the limiter for all its sends: a place per send would cost as much as the send. The others
  // begin once there is something to wait for: sockets of this process answer at once, so that one worker serves all.
  const sendAll: SendPool["sendAll"] = async (recipients, { isLate }) => {
    const queue = recipients.values();
    const workers = Math.min(limiter.concurrency, recipients.length);
    const options = { isLate, stop: mustStop };
    let others: Promise<unknown> | undefined;
    const begin = () => {
      const started = Promise.all(Array.from({ length: workers - 1 }, () => limiter(worker)));
      // Thrown below: until then a fault of theirs has somebody who handles it.
      started.catch(() => {});
      return started;
    };
    const worker = async () => {
      for (const recipient of queue) {
        const sending = send(recipient, options);
        if (sending === undefined) continue;
        others ??= begin();
        await sending;
      }
    };
    if (workers > 0) await limiter(worker);
    await others;
  };

  return {
    sendAll,
    async retry() {
      const again = [...unsent, ...busy];
      unsent = [];
      busy = [];
      isWaiting = false;
      await sendAll(again, { isLate: false });
    },
    busy: () => busy,
    unsent: () => unsent,
    stopped: () => (unsent.length > 0 ? stopReason : isWaiting ? "waiting" : undefined),
    fail(detail) {
      reason = detail;
    },
    end() {
      const sent = counts.sent - progress.counts.sent;
      telemetry.count("FramesSent", sent);
      telemetry.count("MeteredUnits", sent * Math.ceil(frame.length / METERED_BYTES));
      telemetry.count("ConnectionsGone", counts.gone - progress.counts.gone);
      return { counts, failed, reason };
    },
  };
}
