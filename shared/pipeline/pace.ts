import type { PacePolicy } from "../domain/policy.ts";
import type { SendResult } from "../ports.ts";

/** Spreads posts over time, and learns from their endings how many the gateway takes. */
export interface Pace {
  /** Milliseconds to wait before the next post may go out; calling it takes that post's turn. */
  turn(now: number): number;
  learn(ending: SendResult): void;
}

/** The part of the allowed rate that a new pace begins with: others may be posting too. */
const FIRST = 1 / 4;
/** Per second; what is left where the gateway refuses everything. */
const LEAST = 10;
/**
 * What one ending makes of the rate. The rate falls where more than one in eleven posts is throttled, so that a
 * single slow client (its full buffer is a 429 too) brakes nobody, and grows sevenfold over 1,000 posts that are not.
 */
const FALL = 0.98;
const GROWTH = 1.002;
/** Turns that were not taken are kept for so many milliseconds, so that a small delivery never waits. */
const BURST = 250;

/** Begins at a quarter of the posts per second that the policy allows, and never goes above them. */
export function pace({ quota, share }: PacePolicy): Pace {
  const most = quota * share;
  let rate = Math.max(LEAST, most * FIRST);
  let next = 0;
  return {
    turn(now) {
      const at = Math.max(next, now - BURST);
      next = at + 1_000 / rate;
      return Math.max(0, Math.ceil(at - now));
    },
    learn(ending) {
      if (ending.kind === "throttled") rate = Math.max(LEAST, rate * FALL);
      else rate = Math.min(Math.max(LEAST, most), rate * GROWTH);
    },
  };
}
