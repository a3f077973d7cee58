import type { SendResult } from "../../ports.ts";
import { METERED_BYTES } from "../../protocol/limits.ts";
import type { ConnectionId } from "../../protocol/tag.ts";
import { type Counts, NAMED_FAILURES, type Recipient } from "../../receipts/receipt.ts";
import type { Waiting } from "./busy-connections.ts";
import type { DeliverDeps, Delivery, StopReason } from "./delivery.ts";

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
  { frame, progress, limiter, stop, removeConnection }: Delivery,
): SendPool {
  const counts = { ...progress.counts };
  const failed: ConnectionId[] = [...progress.failed];
  let busy: Recipient[] = [];
  let unsent: Recipient[] = [];
  let reason: string | undefined;
  let stopReason: StopReason | undefined;
  let isWaiting = false;

  const onResult = async (recipient: Recipient, result: SendResult | Waiting): Promise<void> => {
    switch (result.kind) {
      case "waiting":
        isWaiting = true;
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

  const send = async (recipient: Recipient, isLate: boolean): Promise<void> => {
    let stopped = stop();
    const mustStop = () => {
      stopped = stop();
      return stopped !== undefined;
    };
    const result = stopped
      ? undefined
      : await gateway.send(recipient.connectionId, frame, { isLate, stop: mustStop });
    if (result) return onResult(recipient, result);
    unsent.push(recipient);
    stopReason = stopped;
  };

  // A worker takes one place in the limiter for all its sends: a place per send would cost as much as the send.
  const sendAll: SendPool["sendAll"] = async (recipients, { isLate }) => {
    const queue = recipients.values();
    const worker = async () => {
      for (const recipient of queue) await send(recipient, isLate);
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
