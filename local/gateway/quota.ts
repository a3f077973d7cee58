import type { Clock } from "../../shared/ports.ts";
import type { Limits } from "../limits.ts";

/** The quota of requests that all APIs of an account share. */
export interface Quota {
  /** Whether there is room for one more request, which is then counted. */
  take(): boolean;
}

/** A token bucket, as API Gateway throttles: it holds `requestBurst` tokens and gains `requestRate` a second. */
export function quota(
  { monotonic }: Pick<Clock, "monotonic">,
  { requestRate, requestBurst }: Pick<Limits, "requestRate" | "requestBurst">,
): Quota {
  let tokens = requestBurst;
  let filled = monotonic();
  return {
    take() {
      const now = monotonic();
      tokens = Math.min(requestBurst, tokens + ((now - filled) / 1000) * requestRate);
      filled = now;
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
  };
}
