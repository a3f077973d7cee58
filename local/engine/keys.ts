import type { Clock } from "../../shared/ports.ts";
import type { Store } from "./store/store.ts";

/**
 * Returns a function that makes integer keys in ascending order, above all that the table has. They begin at the
 * microseconds of the clock, so that no key of a deleted row comes again.
 */
export function ascendingKeys(
  store: Store,
  table: "entries" | "dead-letters",
  clock: Pick<Clock, "now">,
): () => number {
  const everything = { from: Number.MIN_SAFE_INTEGER, to: Number.MAX_SAFE_INTEGER };
  const [last] = store.range(table, { ...everything, limit: 1, isReversed: true });
  let key = Math.max(clock.now() * 1000, last?.key ?? 0);
  return () => ++key;
}
