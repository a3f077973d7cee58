import type { Clock, MessageQueue } from "../../ports.ts";
import type { Lane, Priority } from "../../protocol/lane.ts";
import type { BacklogPolicy } from "../../settings/policy.ts";

export interface BacklogDeps {
  readonly queue: Pick<MessageQueue, "backlog">;
  readonly clock: Pick<Clock, "now">;
  readonly policy: BacklogPolicy;
}

/** What one container knows of the lanes' backlogs. */
export interface Backlog {
  /** Seconds after which to send again, where the lane, or the fanout lane behind it, is over its limit. */
  retryAfter(lane: Priority): number | undefined;
  /** Looks up what is out of date, for the requests that follow. Undefined where nothing is. */
  look(lanes: readonly Priority[]): Promise<unknown> | undefined;
}

/** Seconds that a producer waits for each time the backlog holds the limit, and at most. */
const WAIT = { step: 5, most: 300 };

/** Backlogs that are never waited for: a container's first requests are taken unseen. */
export function backlog({
  queue,
  clock,
  policy: { limits, refreshIntervalMilliseconds },
}: BacklogDeps): Backlog {
  const seen = new Map<Lane, { readonly waiting: number; readonly at: number }>();
  const looking = new Set<Lane>();
  const limited = (lane: Priority): Lane[] =>
    limits[lane] === undefined ? [] : [lane, ...(limits.fanout === undefined ? [] : (["fanout"] as const))];

  const lookAt = async (lane: Lane): Promise<void> => {
    looking.add(lane);
    try {
      seen.set(lane, { waiting: await queue.backlog(lane), at: clock.now() });
    } finally {
      looking.delete(lane);
    }
  };

  return {
    retryAfter(lane) {
      const waits = limited(lane).flatMap((one) => {
        const { waiting, at } = seen.get(one) ?? { waiting: 0, at: 0 };
        const limit = limits[one] ?? Number.POSITIVE_INFINITY;
        // What an idle container saw long ago says nothing about now.
        const isKnown = clock.now() - at <= 2 * refreshIntervalMilliseconds;
        return isKnown && waiting > limit
          ? [Math.min(WAIT.most, WAIT.step * Math.ceil(waiting / limit))]
          : [];
      });
      return waits.length > 0 ? Math.max(...waits) : undefined;
    },
    look(lanes) {
      const now = clock.now();
      const isOld = (lane: Lane) =>
        !looking.has(lane) && now - (seen.get(lane)?.at ?? 0) >= refreshIntervalMilliseconds;
      const old = new Set(lanes.flatMap((lane) => limited(lane).filter(isOld)));
      return old.size > 0 ? Promise.all([...old].map(lookAt)) : undefined;
    },
  };
}
