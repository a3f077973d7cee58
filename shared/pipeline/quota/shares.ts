import type { QuotaEntry } from "../../ports.ts";

/** What an entry says of its demand. */
export type Demand = Pick<QuotaEntry, "id" | "sendsPerSecond" | "weight" | "isWaiting">;

/** The part of what it sends that an entry which does not wait gets on top, so that it can grow. */
const HEADROOM = 0.1;
/** Sends per second that each entry gets on top as well. */
const LEAST_HEADROOM = 10;

/** The sends per second that an entry could use. */
export const demandOf = ({ sendsPerSecond, isWaiting }: Demand): number =>
  isWaiting ? Number.POSITIVE_INFINITY : sendsPerSecond * (1 + HEADROOM) + LEAST_HEADROOM;

/**
 * Divides `capacity` sends per second among entries, max-min fair by weight: an entry that does not wait gets what it
 * sends, with some headroom, up to what its weight is worth, and those that wait get the rest by weight. Returns the
 * sends per second of each by its id. Their sum is at most `capacity`.
 */
export function sharesOf(entries: readonly Demand[], capacity: number): ReadonlyMap<string, number> {
  const byNeed = entries
    .map((entry) => ({ ...entry, demand: demandOf(entry) }))
    .sort((a, b) => a.demand / a.weight - b.demand / b.weight);
  let left = capacity;
  let weights = byNeed.reduce((sum, { weight }) => sum + weight, 0);
  const shares = new Map<string, number>();
  for (const { id, demand, weight } of byNeed) {
    const share = Math.min(demand, (left * weight) / weights);
    shares.set(id, share);
    left -= share;
    weights -= weight;
  }
  return shares;
}
