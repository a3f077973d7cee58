import { FANOUT_LANES, type FanoutLane, LANES, type Lane } from "../protocol/lane.ts";
import type { Settings } from "./schema.ts";

/* The parts of the settings that the pipeline takes. Functions read them too, so this loads no schema. */

/** Milliseconds by which the clocks of two runs may differ. A lease ends this long after its run. */
export const CLOCK_MARGIN = 5_000;

/** The least rate of a container's sends, however much it is throttled. */
export const LEAST_SENDS_PER_SECOND = 10;

/** How sends share the request quota that API Gateway gives an account. */
export type RatePolicy = Pick<Settings, "quotaRequestsPerSecond" | "quotaFraction">;

/** The part of the configured share of the quota that sends are planned for: the rest is for containers that others do not hear of. */
const PLANNED = 0.97;

/** The sends per second of all containers together. */
export const sendsPerSecondOf = ({ quotaRequestsPerSecond, quotaFraction }: RatePolicy): number =>
  Math.max(LEAST_SENDS_PER_SECOND, quotaRequestsPerSecond * quotaFraction * PLANNED);

/** How a run delivers. */
export type DeliveryPolicy = RatePolicy &
  Pick<Settings, "recipientsPerRun" | "deliveryRounds"> &
  Pick<
    Settings["advanced"],
    | "sendsInFlight"
    | "sendAttempts"
    | "sendTimeoutMilliseconds"
    | "pause"
    | "backoff"
    | "reserveMilliseconds"
    | "pageSize"
    | "firstPageSize"
    | "splitLimit"
    | "deathLimit"
    | "pendingLimit"
  >;

export const deliveryPolicy = ({ advanced, ...settings }: Settings): DeliveryPolicy => ({
  ...settings,
  ...advanced,
});

/** When a lane takes no more messages. */
export interface BacklogPolicy {
  /** Entries that may wait in a lane. A lane without a limit always takes more. */
  readonly limits: Readonly<Partial<Record<Lane, number>>>;
  /** Seconds that a lane may need for the jobs that wait in it. */
  readonly limitsSeconds: Readonly<Partial<Record<FanoutLane, number>>>;
  /** The most connections that a job is for when a message is split. */
  readonly recipientsPerJob: number;
  /** The sends per second that all runs together may make. */
  readonly sendsPerSecond: number;
  /** How long a container relies on what it last read. */
  readonly refreshIntervalMilliseconds: number;
}

export const backlogPolicy = ({ lanes, advanced, ...settings }: Settings): BacklogPolicy => ({
  limits: defined(LANES, (lane) => lanes[lane].backlogLimitMessages),
  limitsSeconds: defined(FANOUT_LANES, (lane) => lanes[lane].backlogLimitSeconds),
  recipientsPerJob: Math.ceil(settings.recipientsPerRun / 2),
  sendsPerSecond: sendsPerSecondOf(settings),
  refreshIntervalMilliseconds: advanced.backlogRefreshIntervalMilliseconds,
});

function defined<L extends Lane>(
  lanes: readonly L[],
  limitOf: (lane: L) => number | undefined,
): Readonly<Partial<Record<L, number>>> {
  const limits = lanes.map((lane) => [lane, limitOf(lane)] as const);
  return Object.fromEntries(limits.filter(([, limit]) => limit !== undefined)) as Partial<Record<L, number>>;
}

/**
 * The number of jobs that an audience of `audience` connections is split into; 0 if one run can serve it. They are half a run's share each, so
 * that an estimate that was off does not split them again.
 */
export const jobsFor = (
  audience: number,
  { recipientsPerRun, splitLimit }: Pick<DeliveryPolicy, "recipientsPerRun" | "splitLimit">,
): number =>
  audience <= recipientsPerRun ? 0 : Math.min(splitLimit, Math.ceil((2 * audience) / recipientsPerRun));

/** How long the rows of a connection live. */
export interface ConnectionPolicy {
  /** API Gateway cuts a connection after this. */
  readonly maxAgeSeconds: number;
  readonly rowMarginSeconds: number;
}
