import { LANES, type Lane } from "../../shared/protocol/lane.ts";
import { reservedConcurrency } from "../../shared/settings/derived.ts";
import type { Settings } from "../../shared/settings/schema.ts";
import { visitOf } from "./connection.ts";
import { type CostLine, costLines } from "./cost.ts";
import { type Limit, limits } from "./limit.ts";
import { type ReturnLimit, returnLimits } from "./reconnect.ts";
import { sharingOf } from "./sharing.ts";
import { framesEach, type LanePlan, type Planning, type Stream, timeIn } from "./stream.ts";
import { workOf } from "./work.ts";

/** Per second. */
export interface Capacity {
  readonly writes: number;
  readonly reads: number;
}

export interface CapacityPlan {
  readonly streams: readonly Stream[];
  readonly lanes: Readonly<Record<Lane, LanePlan>>;
  /** Of all lanes together. */
  readonly sendsInFlight: { readonly needed: number; readonly allowed: number };
  readonly tables: { readonly average: Capacity; readonly peak: Capacity };
  /** Seconds until all that gathered in `outageSeconds` of average load is delivered; none where it never is. */
  readonly drain: { readonly outageSeconds: number; readonly seconds?: number };
  /** Seconds until all connections are back after all were cut: what the first of `reconnectLimits` allows. */
  readonly reconnectSeconds: number;
  /** From the slowest on. */
  readonly reconnectLimits: readonly ReturnLimit[];
  /** Pings of all connections per second, on average. */
  readonly pingsPerSecond: number;
  /** From the tightest on. */
  readonly limits: readonly Limit[];
  readonly monthly: readonly CostLine[];
  readonly monthlyTotal: number;
}

/** The quota is a limit of its own; a lane must not look fuller for it. */
const unpaced = (settings: Settings): Settings => ({
  ...settings,
  quotaRequestsPerSecond: Number.POSITIVE_INFINITY,
});

/** How full a lane may be in the busiest second. */
const FULL = 0.75;

/** What a load leads to. Pure: the same load, the same plan. */
export function plan(planning: Planning): CapacityPlan {
  const { load, settings, assumed, outageSeconds } = planning;
  const streams = load.traffic.map((traffic) => ({
    ...traffic,
    work: workOf(traffic, load, settings, assumed),
    inFull: workOf(
      traffic,
      { ...load, perRun: settings.advanced.batchSize[traffic.priority] },
      unpaced(settings),
      assumed,
    ),
  }));
  const sum = (pick: (stream: Stream) => number) => streams.reduce((n, s) => n + s.rate * pick(s), 0);
  const visits = load.connections / load.sessionSeconds;
  const { moves, pings } = visitOf(load, framesEach(load));

  const busy = Object.fromEntries(
    LANES.map((lane) => [lane, sum(({ priority, inFull: { time } }) => timeIn(lane, priority, time) / 1000)]),
  ) as Record<Lane, number>;
  const lanes = Object.fromEntries(
    LANES.map((lane) => {
      const needed = busy[lane] * load.peak;
      const advised = Math.max(2, Math.ceil(needed / FULL));
      return [lane, { needed, allowed: settings.lanes[lane].concurrency, advised }];
    }),
  ) as Record<Lane, LanePlan>;

  const sharing = sharingOf(planning, streams);
  const average = {
    writes: sum(({ work }) => work.writeUnits) + visits * moves.writeUnits + sharing.writes,
    reads: sum(({ work }) => work.readUnits) + visits * (moves.readUnits + pings.readUnits) + sharing.reads,
  };
  const sends = sum(({ work }) => work.frames);
  const fullest = Math.max(
    sends / (settings.quotaRequestsPerSecond * settings.quotaFraction),
    ...LANES.map((lane) => busy[lane] / settings.lanes[lane].concurrency),
  );
  const monthly = costLines(planning, streams, sharing);
  const reconnectLimits = returnLimits(planning, streams);
  return {
    streams,
    lanes,
    sendsInFlight: {
      needed: (sends * load.peak * assumed.send) / 1000,
      allowed: reservedConcurrency(settings) * settings.advanced.sendsInFlight,
    },
    tables: {
      average,
      peak: { writes: average.writes * load.peak, reads: average.reads * load.peak },
    },
    drain: {
      outageSeconds,
      ...(fullest < 1 ? { seconds: (outageSeconds * fullest) / (1 - fullest) } : {}),
    },
    reconnectSeconds: reconnectLimits[0]?.seconds ?? 0,
    reconnectLimits,
    pingsPerSecond: visits * pings.runs,
    limits: limits({ ...planning, streams, lanes }),
    monthly,
    monthlyTotal: monthly.reduce((total, { usd }) => total + usd, 0),
  };
}
