import { FANOUT_LANES, fanoutLane } from "../../shared/protocol/lane.ts";
import { reservedConcurrency } from "../../shared/settings/derived.ts";
import { sendsPerSecondOf } from "../../shared/settings/policy.ts";
import type { Settings } from "../../shared/settings/schema.ts";
import type { Planning, Stream } from "./stream.ts";
import { READ_UNIT, started, WRITE_UNIT } from "./unit.ts";

/*
 * What it takes that containers share the quota. A container whose sends have to wait beats at once, then twice a second,
 * and once more when its run ends. A test holds this against the code that beats.
 */

/** Seconds from one beat to the next, at least, and for each container that beats. */
const BEAT = { least: 0.5, each: 0.025 };
/** Seconds for which a container remembers the others; after that it beats twice at first. */
const REMEMBERED = 10;
/** The part of an even split at which a container begins, and the seconds of unused sends that it may make at once. */
const UNANSWERED = 0.5;
const BURST = 0.25;
/** Bytes of the item without entries, and of the entry of one container. */
const ITEM = 40;
const ENTRY = 50;

/** The beats of runs that deliver one message. */
export interface Beats {
  readonly all: number;
  /** Those of them that a container leaves out if it has beaten lately. */
  readonly first: number;
}

export const NO_BEATS: Beats = { all: 0, first: 0 };

/** The beats of one run that makes so many sends in this time, while `side` runs send side by side. */
export function beatsOf(
  { sends, seconds, side = 1 }: { readonly sends: number; readonly seconds: number; readonly side?: number },
  settings: Settings,
): Beats {
  const even = sendsPerSecondOf(settings) / reservedConcurrency(settings);
  if (sends <= Math.max(1, even * UNANSWERED * BURST)) return NO_BEATS;
  return { all: 3 + Math.floor(seconds / Math.max(BEAT.least, BEAT.each * side)), first: 1 };
}

/** Units per second of the table of quotas. */
export interface Sharing {
  readonly writes: number;
  readonly reads: number;
}

/** What all containers write and read of the quota, on average. */
export function sharingOf({ settings }: Planning, streams: readonly Stream[]): Sharing {
  const sum = (pick: (stream: Stream) => number) => streams.reduce((n, s) => n + s.rate * pick(s), 0);
  // Of jobs that are sent side by side each container has a first one.
  const begun = sum(({ work }) => Math.min(1, work.beats.first));
  const quiet = Math.exp(-REMEMBERED * begun);
  const beats = sum(({ work }) => work.beats.all - work.beats.first * (1 - quiet));
  const containers = Math.ceil(sum(({ work }) => (work.time.own + work.time.fanout) / 1000));
  const item = ITEM + ENTRY * containers;
  const posting = Math.ceil(sum(({ work }) => work.time.ingest) / 1000);
  const refreshes = (posting * 1000) / settings.advanced.backlogRefreshIntervalMilliseconds;
  // An ingest container looks at the rate of a lane whose jobs wait, if that may turn messages away.
  const looks = FANOUT_LANES.filter((lane) => settings.lanes[lane].backlogLimitSeconds !== undefined).map(
    (lane) => {
      const own = streams.filter(({ priority }) => fanoutLane(priority) === lane);
      const posts = own.reduce((n, { rate, work }) => n + rate * work.requests, 0);
      const side = settings.lanes[lane].concurrency;
      const waiting = own.reduce((n, { rate, work }) => {
        const runs = Math.min(work.runs.fanout, side);
        return runs === 0 ? n : n + (rate * work.time.fanout) / runs / 1000;
      }, 0);
      return Math.min(posts, refreshes) * Math.min(1, waiting);
    },
  );
  return {
    writes: beats * started(item, WRITE_UNIT),
    reads: looks.reduce((n, each) => n + each, 0) * started(item, READ_UNIT),
  };
}
