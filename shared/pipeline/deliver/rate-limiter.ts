import type { SendResult } from "../../ports.ts";
import type { ConnectionId } from "../../protocol/tag.ts";
import type { PacePolicy } from "../../settings/policy.ts";

/** Spreads sends over time, and learns from their results how many the gateway takes. Times are monotonic milliseconds. */
export interface RateLimiter {
  /** 0: one send may start now, and is counted. Otherwise the milliseconds after which to ask again, at most 100. */
  acquire(now: number): number;
  /** `isBusy`: the connection fails again and again, so that its results say nothing about the account. */
  onResult(id: ConnectionId, result: SendResult, now: number, isBusy: boolean): void;
  /** Sends per second. */
  rate(now: number): number;
  /** Whether the account was throttled lately: what is throttled then is not up to a connection. */
  isThrottled(now: number): boolean;
}

/** The part of the allowed rate that a new limiter begins with: others may be sending too. */
const FIRST = 1 / 4;
/** Sends per second that are left if the gateway refuses everything. */
const LEAST = 10;
/** Sends that were not made are kept for so many milliseconds, so that a small delivery never waits. */
const BURST = 250;
/** Nothing is reserved for whoever waits: it asks again after at most so many milliseconds. */
const LONGEST_WAIT = 100;
/** The rate changes once in so many milliseconds. */
const WINDOW = 500;
/** A connection counts as throttled once in so many milliseconds: a client that does not read is one, however often. */
const COUNTED_ONCE = 10_000;
/**
 * Whether so many distinct connections of all that were sent to are too many throttled ones: at least 3, and over 1 %
 * by more than chance makes of 1 % (twice the square root of what is expected).
 */
const areTooMany = (throttled: number, seen: number): boolean =>
  throttled >= 3 && throttled > seen * 0.01 + 2 * Math.sqrt(seen * 0.01);
const FALL = 0.7;
/** Milliseconds after a fall within which a 429 is taken for the account's. */
const LATELY = 60_000;
const RISE = 1.02;

/** Begins at a quarter of the sends per second that the policy allows, and never goes above them. */
export function rateLimiter({ quota, share }: PacePolicy): RateLimiter {
  const most = Math.max(LEAST, quota * share);
  const counted = new Map<ConnectionId, number>();
  let rate = Math.max(LEAST, most * FIRST);
  let available = (rate * BURST) / 1_000;
  let filledAt: number | undefined;
  let waiting = 0;
  let fellAt = Number.NEGATIVE_INFINITY;
  let window = {
    since: undefined as number | undefined,
    seen: new Set<ConnectionId>(),
    throttled: new Set<ConnectionId>(),
  };

  const turnWindow = (now: number) => {
    const { since = now } = window;
    window.since = since;
    const passed = Math.floor((now - since) / WINDOW);
    if (passed < 1) return;
    const { throttled, seen } = window;
    if (areTooMany(throttled.size, seen.size)) {
      rate *= FALL;
      fellAt = now;
    }
    // Windows in which nothing was sent are quiet too: what was throttled may be over.
    if (throttled.size === 0) rate *= RISE;
    rate = Math.min(most, Math.max(LEAST, rate * RISE ** Math.min(passed - 1, 1_000)));
    window = { since: since + passed * WINDOW, seen: new Set(), throttled: new Set() };
    for (const [id, at] of counted) if (now - at >= COUNTED_ONCE) counted.delete(id);
  };

  return {
    acquire(now) {
      turnWindow(now);
      const most = Math.max(1, (rate * BURST) / 1_000);
      available = Math.min(most, available + ((now - (filledAt ?? now)) * rate) / 1_000);
      filledAt = now;
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
      window.seen.add(id);
      if (isBusy) window.throttled.delete(id);
      if (kind !== "throttled" || isBusy || counted.has(id)) return;
      counted.set(id, now);
      window.throttled.add(id);
    },
    rate(now) {
      turnWindow(now);
      return rate;
    },
    isThrottled(now) {
      turnWindow(now);
      return now - fellAt < LATELY;
    },
  };
}
