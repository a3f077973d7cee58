import { type Lane, laneWeight } from "../../protocol/lane.ts";

/** What a run under way says of itself. */
export interface SendingRun {
  readonly sendsPerSecond: number;
  /** The weight of the lane that it serves. */
  readonly weight: number;
  /** Whether it could send more if it were its turn. */
  readonly waits: boolean;
}

/**
 * Returns the sends per second that a lane has: what the runs of its weight send, and what nobody uses if none of them
 * waits for turns, since then it is theirs for the taking. `most`: the sends per second of all together. Undefined if no
 * run of its weight sends.
 */
export function laneRate(runs: readonly SendingRun[], lane: Lane, most: number): number | undefined {
  const own = runs.filter(({ weight }) => weight === laneWeight(lane));
  const used = sent(own);
  if (used <= 0) return undefined;
  const idle = own.some(({ waits }) => waits) ? 0 : Math.max(0, most - sent(runs));
  return used + idle;
}

const sent = (runs: readonly SendingRun[]): number =>
  runs.reduce((sum, { sendsPerSecond }) => sum + sendsPerSecond, 0);
