import type { FanoutLane } from "../../shared/protocol/lane.ts";
import { QUEUE_BATCH } from "../../shared/protocol/limits.ts";
import { deliveryPolicy, jobsFor } from "../../shared/settings/policy.ts";
import type { Settings } from "../../shared/settings/schema.ts";
import { QUEUE_UNIT, READ_UNIT, started, WRITE_UNIT } from "./unit.ts";

/** Bytes of a row in a tag's list, of a receipt's row while few connections are pending, and of a range in it. */
const ROW = 120;
export const RECEIPT = 500;
const RANGE = 32;

/** What the jobs of one split lead to, those of their own splits included. */
export interface Fanout {
  /** Jobs, and those among them that send instead of being split again. */
  readonly jobs: number;
  readonly leaves: number;
  /** Splits that follow one another. */
  readonly depth: number;
  readonly sends: number;
  readonly queueUnits: number;
  readonly updates: number;
  readonly queries: number;
  readonly gets: number;
  readonly writeUnits: number;
  readonly readUnits: number;
}

/** Whether an audience is split. */
export const isSplit = (rows: number, settings: Settings): boolean =>
  jobsFor(rows, deliveryPolicy(settings)) > 1;

/**
 * What a split of `rows` connections leads to: its own writes and sends, and all below. A run splits a message into at
 * most `splitLimit` jobs, so those of a very large audience are split again. Estimates of the size of a range are taken
 * as exact: one that is off by a tenth splits a job in vain, which costs a few writes for thousands of frames.
 */
export function fanoutOf(rows: number, bytes: number, lane: FanoutLane, settings: Settings): Fanout {
  const jobs = jobsFor(rows, deliveryPolicy(settings));
  const batchSize = settings.advanced.batchSize[lane];
  const each = rows / jobs;
  const again = isSplit(each, settings) ? fanoutOf(each, bytes, lane, settings) : undefined;
  const page = servedBy(each, settings);
  const sends = Math.ceil(jobs / QUEUE_BATCH);
  // Beside its claim a job asks once for a cancel, and once more before each page but the first.
  const calls = again
    ? { queries: 1, gets: 1, updates: 0, readUnits: firstPage(each, settings) + 1, writeUnits: 0 }
    : { ...page, gets: page.queries, updates: 1, readUnits: page.readUnits + page.queries, writeUnits: 1 };
  const below = (pick: (fanout: Fanout) => number) => (again ? jobs * pick(again) : 0);
  return {
    jobs: jobs + below((next) => next.jobs),
    leaves: again ? below((next) => next.leaves) : jobs,
    depth: 1 + (again?.depth ?? 0),
    sends: sends + below((next) => next.sends),
    queueUnits:
      sends * started(bytes * Math.min(jobs, QUEUE_BATCH), QUEUE_UNIT) +
      (jobs / batchSize) * (started(bytes * batchSize, QUEUE_UNIT) + 1) +
      below((next) => next.queueUnits),
    // The row names the ranges once they are cut, and is written once more when all jobs are queued.
    updates: 2 + jobs * calls.updates + below((next) => next.updates),
    queries: jobs * calls.queries + below((next) => next.queries),
    gets: jobs * calls.gets + below((next) => next.gets),
    writeUnits:
      2 * started(RECEIPT + jobs * RANGE, WRITE_UNIT) +
      jobs * (1 + calls.writeUnits) +
      below((next) => next.writeUnits),
    readUnits: jobs * calls.readUnits + below((next) => next.readUnits),
  };
}

/** Read units of the first page of a list of `rows` rows. */
export const firstPage = (rows: number, { advanced }: Settings): number =>
  started(Math.min(rows, advanced.firstPageSize) * ROW, READ_UNIT);

/** Queries that page through `rows` rows, and their read units. */
export function servedBy(rows: number, settings: Settings): { queries: number; readUnits: number } {
  const { firstPageSize, pageSize } = settings.advanced;
  const rest = Math.max(0, rows - firstPageSize);
  const full = Math.floor(rest / pageSize);
  const last = rest - full * pageSize;
  return {
    queries: 1 + full + (last > 0 ? 1 : 0),
    readUnits:
      firstPage(rows, settings) +
      full * started(pageSize * ROW, READ_UNIT) +
      (last > 0 ? started(last * ROW, READ_UNIT) : 0),
  };
}
