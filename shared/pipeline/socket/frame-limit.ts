import { type BucketLimits, spend } from "../../connections/token-bucket.ts";
import type { Clock } from "../../ports.ts";

/** Counts a frame of a connection, or `cost` of something. Seconds to wait if it is too much; undefined if it may be answered. */
export type FrameLimit = (connectionId: string, cost?: number) => number | undefined;

/** Connections that are remembered; a bucket fills within seconds, so one that is dropped early does no harm. */
const REMEMBERED = 10_000;

/** Limits the frames of each connection, as far as this container sees them. */
export function frameLimit(clock: Pick<Clock, "monotonic">, limits: BucketLimits): FrameLimit {
  const buckets = new Map<string, number>();
  return (connectionId, cost = 1) => {
    const until = buckets.get(connectionId);
    const spent = spend(limits, until, cost, clock.monotonic());
    if (spent.kind === "refused") return spent.retryAfter;
    const { spending } = spent;
    buckets.delete(connectionId);
    buckets.set(connectionId, spending.kind === "restart" ? spending.until : (until ?? 0) + spending.by);
    const [oldest] = buckets.keys();
    if (buckets.size > REMEMBERED && oldest !== undefined) buckets.delete(oldest);
    return undefined;
  };
}
