import { backoff } from "../../backoff.ts";
import type { Clock, MessageQueue, Random, Telemetry } from "../../ports.ts";
import { VISIBILITY_SECONDS } from "../../protocol/limits.ts";
import type { DeliveryPolicy } from "../../settings/policy.ts";
import type { Received, RecordResult } from "./record.ts";

export type Again = Extract<RecordResult, { kind: "again" }>;

/** At a random time within `seconds`. */
export const within = (seconds: number, random: number): Again => ({
  kind: "again",
  seconds: 1 + Math.floor(random * seconds),
});

/** Exponential back-off with full jitter, by the number of receives. */
export const again = (
  { policy, random }: { readonly policy: Pick<DeliveryPolicy, "backoff">; readonly random: Random },
  { receive, retries = receive - 1 }: Received,
): Again => ({
  kind: "again",
  seconds: Math.max(
    1,
    Math.ceil(
      backoff(retries, { base: policy.backoff.baseSeconds, cap: policy.backoff.capSeconds }, random()),
    ),
  ),
});

/** Whole seconds until a time, at least 1. */
export const secondsUntil = ({ clock }: { readonly clock: Pick<Clock, "now"> }, time: number): number =>
  Math.max(1, Math.ceil((time - clock.now()) / 1000));

/** Hides a record for so long. If that fails, its own visibility timeout stays in force. */
export async function changeVisibility(
  deps: { readonly queue: Pick<MessageQueue, "changeVisibility">; readonly telemetry: Telemetry },
  { lane, receiptHandle }: Received,
  seconds: number,
): Promise<void> {
  const bounded = Math.min(Math.max(0, seconds), VISIBILITY_SECONDS);
  await deps.queue.changeVisibility(lane, receiptHandle, bounded).catch((fault: unknown) => {
    deps.telemetry.warn("visibility not changed", { lane }, fault);
  });
}
