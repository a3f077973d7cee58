import type { SendResult } from "../../ports.ts";
import type { ConnectionId } from "../../protocol/tag.ts";
import { LEAST_SENDS_PER_SECOND, type RatePolicy } from "../../settings/policy.ts";

/** Limits the rate of sends, and adapts the rate to their results. Times are monotonic milliseconds. */
export interface RateLimiter {
  /** Returns 0 and counts a send if one may start now. Otherwise returns the milliseconds until the next call, at most 100. */
  acquire(now: number): number;
  /** `isBusy`: the connection keeps failing, so its results are no evidence about the account. */
  onResult(id: ConnectionId, result: SendResult, now: number, isBusy: boolean): void;
  /** The current rate in sends per second. */
  rate(now: number): number;
  /** Returns true if the account was throttled recently, so that a 429 is not about the connection. */
  isThrottled(now: number): boolean;
}

/** The part of the account's quota that the limiter may use. */
export interface SharedRate {
  /** Returns the sends per second that may be made now. */
  rate(): number;
  /** Returns sends that may be made on top of that, once. */
  unused(): number;
  /** Counts a send that may start, or one that has to wait. */
  onAcquire(mayStart: boolean): void;
}

/** The fraction of the allowed rate at which a limiter starts that knows nothing of the other containers. */
const FIRST = 1 / 4;
/** Milliseconds of unused sends that are kept, so that a small delivery does not wait. */
const BURST = 250;
/** A waiting send calls `acquire` again after at most this many milliseconds. Nothing is reserved for it. */
const LONGEST_WAIT = 100;
/** The interval in milliseconds between changes of the rate. */
const WINDOW = 500;
/** A connection counts as throttled at most once in this many milliseconds, so a slow client counts once. */
const COUNTED_ONCE = 10_000;
/** Connections of a window that are told apart. Each later send counts as one more: so many are hardly the same. */
const TOLD_APART = 1_000;
/**
 * Returns true if too many of the `seen` connections were throttled: at least 3, and significantly more than 1 % (by
 * more than twice the square root of the expected number).
 */
const areTooMany = (throttled: number, seen: number): boolean =>
  throttled >= 3 && throttled > seen * 0.01 + 2 * Math.sqrt(seen * 0.01);
/** Returns true if so many were throttled that half a window is enough to see it, and how many. */
const isPlain = (throttled: number, seen: number): boolean => throttled >= 40 && throttled > seen / 4;
/** What is left of the rate if too many were throttled. If it is plain, no more than the part of them that was not. */
const FALL = 0.7;
/** Milliseconds after a decrease within which a 429 counts as the account's. */
const LATELY = 60_000;
const RISE = 1.02;

/** For sockets without a quota of requests. */
export const UNLIMITED: RateLimiter = {
  acquire: () => 0,
  onResult() {},
  rate: () => Number.POSITIVE_INFINITY,
  isThrottled: () => false,
};

/**
 * Never exceeds the rate that `shared` allows, and less while the account is throttled. Without `shared` it starts at a
 * quarter of the rate that the policy allows, and never exceeds that rate.
 */
export function rateLimiter(
  { quotaRequestsPerSecond, quotaFraction }: RatePolicy,
  shared?: SharedRate,
): RateLimiter {
  const most = Math.max(LEAST_SENDS_PER_SECOND, quotaRequestsPerSecond * quotaFraction);
  const counted = new Map<ConnectionId, number>();
  /** The part of the allowed rate that the throttling leaves. */
  let part = shared ? 1 : FIRST;
  const currentRate = () => Math.max(LEAST_SENDS_PER_SECOND, (shared ? shared.rate() : most) * part);
  let available = (currentRate() * BURST) / 1_000;
  let filled: { readonly at: number; readonly rate: number } | undefined;
  let waiting = 0;
  let fellAt = Number.NEGATIVE_INFINITY;
  let window = {
    since: undefined as number | undefined,
    seen: new Set<ConnectionId>(),
    seenLater: 0,
    throttled: new Set<ConnectionId>(),
  };

  const turnWindow = (now: number) => {
    const { since = now } = window;
    window.since = since;
    const { throttled, seen, seenLater } = window;
    const plain = isPlain(throttled.size, seen.size + seenLater);
    const length = plain ? WINDOW / 2 : WINDOW;
    const passed = Math.floor((now - since) / length);
    if (passed < 1) return;
    if (areTooMany(throttled.size, seen.size + seenLater)) {
      part *= plain ? Math.min(FALL, 1 - throttled.size / (seen.size + seenLater)) : FALL;
      fellAt = now;
    }
    // Windows without a send count as quiet: the throttling may be over.
    if (throttled.size === 0) part *= RISE;
    const least = LEAST_SENDS_PER_SECOND / most;
    part = Math.min(1, Math.max(least, part * RISE ** Math.min(passed - 1, 1_000)));
    window = { since: since + passed * length, seen: new Set(), seenLater: 0, throttled: new Set() };
    for (const [id, at] of counted) if (now - at >= COUNTED_ONCE) counted.delete(id);
  };

  return {
    acquire(now) {
      turnWindow(now);
      const rate = currentRate();
      const most = Math.max(1, (rate * BURST) / 1_000);
      const { at, rate: before } = filled ?? { at: now, rate };
      // The time before a change counts at the lower rate.
      const passed = ((now - at) * Math.min(before, rate)) / 1_000;
      available = Math.min(most, available + passed + (shared?.unused() ?? 0) * part);
      filled = { at: now, rate };
      shared?.onAcquire(available >= 1);
      if (available >= 1) {
        available--;
        waiting = Math.max(0, waiting - 1);
        return 0;
      }
      const wait = Math.ceil(((1 + waiting - available) * 1_000) / rate);
      waiting = Math.min(waiting + 1, (rate * LONGEST_WAIT) / 1_000);
      return Math.min(LONGEST_WAIT, Math.max(1, wait));
    },
    onResult(id, { kind }, now, isBusy) {
      turnWindow(now);
      if (window.seen.size < TOLD_APART) window.seen.add(id);
      else window.seenLater++;
      if (isBusy) window.throttled.delete(id);
      if (kind !== "throttled" || isBusy || counted.has(id)) return;
      counted.set(id, now);
      window.throttled.add(id);
    },
    rate(now) {
      turnWindow(now);
      return currentRate();
    },
    isThrottled(now) {
      turnWindow(now);
      return now - fellAt < LATELY;
    },
  };
}
