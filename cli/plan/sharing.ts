import { FANOUT_LANES, fanoutLane } from "../../shared/protocol/lane.ts";
import { REMEMBERED } from "./beat.ts";
import type { Planning, Stream } from "./stream.ts";
import { READ_UNIT, started, WRITE_UNIT } from "./unit.ts";

/** Bytes of the item by which containers share the quota without its entries, and of the entry of one container. */
const ITEM = 40;
const ENTRY = 50;

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
