import type { Clock, MessageQueue, QuotaBeats } from "../../ports.ts";
import { fanoutLane, isFanoutLane, type Lane, type Priority } from "../../protocol/lane.ts";
import type { BacklogPolicy } from "../../settings/policy.ts";
import { laneRate } from "./lane-rate.ts";

export interface BacklogDeps {
  readonly queue: Pick<MessageQueue, "backlog">;
  /** What containers say that they send. @default nobody says it */
  readonly beats?: Pick<QuotaBeats, "read">;
  readonly clock: Pick<Clock, "now">;
  readonly policy: BacklogPolicy;
}

/** What one container knows of the lanes' backlogs. */
export interface Backlog {
  /** Returns the seconds after which to send again; undefined if neither the lane nor its fanout lane is over its limit. */
  retryAfter(lane: Priority): number | undefined;
  /** Reads what is out of date, for the requests that follow. Returns undefined if nothing is. */
  look(lanes: readonly Priority[]): Promise<unknown> | undefined;
}

/** Seconds that a producer waits for each time the backlog holds the limit, and at most, if no rate is known. */
const WAIT = { step: 5, most: 300 };

interface Seen {
  readonly waiting: number;
  /** Seconds that its jobs need. Absent if no rate is known, or it holds no jobs. */
  readonly seconds?: number;
  readonly at: number;
}

/**
 * Backlogs that are never waited for: a container's first requests are taken unseen. A fanout lane is judged by the time
 * that its jobs need, since a job says for how many connections it is; a lane of messages by their number, since nobody
 * knows that of a message before it is routed. If no container says at what rate it sends, the number decides in both.
 */
export function backlog({ queue, beats, clock, policy }: BacklogDeps): Backlog {
  const { limits, limitsSeconds, recipientsPerJob, refreshIntervalMilliseconds } = policy;
  const seen = new Map<Lane, Seen>();
  const looking = new Set<Lane>();
  const limitSeconds = (lane: Lane) => (isFanoutLane(lane) ? limitsSeconds[lane] : undefined);
  const limited = (lane: Priority): Lane[] =>
    [lane, fanoutLane(lane)].filter((one) => limits[one] !== undefined || limitSeconds(one) !== undefined);

  // A clock that was set back makes what was seen old rather than new for as long.
  const ageOf = (at: number): number => {
    const age = clock.now() - at;
    return age < 0 ? Number.POSITIVE_INFINITY : age;
  };

  const lookAt = async (lane: Lane): Promise<void> => {
    looking.add(lane);
    try {
      const waiting = await queue.backlog(lane);
      const isTimed = waiting > 0 && limitSeconds(lane) !== undefined;
      const answer = isTimed ? await beats?.read().catch(() => undefined) : undefined;
      const rate = answer && laneRate(answer, lane, policy.sendsPerSecond);
      const seconds = rate === undefined ? {} : { seconds: Math.ceil((waiting * recipientsPerJob) / rate) };
      seen.set(lane, { waiting, ...seconds, at: clock.now() });
    } finally {
      looking.delete(lane);
    }
  };

  const waitFor = (lane: Lane): number | undefined => {
    const { waiting, seconds, at } = seen.get(lane) ?? { waiting: 0, at: 0 };
    // What an idle container saw long ago says nothing about now.
    if (ageOf(at) > 2 * refreshIntervalMilliseconds) return undefined;
    const most = limitSeconds(lane);
    if (seconds !== undefined && most !== undefined) return seconds > most ? seconds : undefined;
    const limit = limits[lane] ?? Number.POSITIVE_INFINITY;
    return waiting > limit ? Math.min(WAIT.most, WAIT.step * Math.ceil(waiting / limit)) : undefined;
  };

  return {
    retryAfter(lane) {
      const waits = limited(lane).flatMap((one) => waitFor(one) ?? []);
      return waits.length > 0 ? Math.max(...waits) : undefined;
    },
    look(lanes) {
      const isOld = (lane: Lane) =>
        !looking.has(lane) && ageOf(seen.get(lane)?.at ?? 0) >= refreshIntervalMilliseconds;
      const old = new Set(lanes.flatMap((lane) => limited(lane).filter(isOld)));
      return old.size > 0 ? Promise.all([...old].map(lookAt)) : undefined;
    },
  };
}
