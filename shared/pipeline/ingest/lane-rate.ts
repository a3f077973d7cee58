import { recentEntries, sendsOf } from "../../ports/quota-beats.ts";
import type { QuotaAnswer } from "../../ports.ts";
import { type Lane, laneWeight } from "../../protocol/lane.ts";

/**
 * Returns the sends per second that a lane has: what the containers of its weight send, and what nobody uses if none of
 * them waits for turns, since then it is theirs for the taking. `most`: the sends per second of all containers together.
 * Undefined if no container of its weight sends.
 */
export function laneRate(answer: QuotaAnswer, lane: Lane, most: number): number | undefined {
  const live = recentEntries(answer);
  const own = live.filter(({ weight }) => weight === laneWeight(lane));
  const used = sendsOf(own);
  if (used <= 0) return undefined;
  const idle = own.some(({ isWaiting }) => isWaiting) ? 0 : Math.max(0, most - sendsOf(live));
  return used + idle;
}
