import { FANOUT_LANES, LANES, type Lane } from "../shared/protocol/lane.ts";
import { CONNECTION_SECONDS } from "../shared/protocol/limits.ts";
import type { ConnectionPolicy } from "../shared/settings/policy.ts";
import type { Settings, SettingsOverrides } from "../shared/settings/schema.ts";
import { settings } from "../shared/settings/settings.ts";
import type { Dice } from "./world/dice.ts";
import type { Scenario } from "./world/scenario.ts";

/** Above this many connections, settings are those of production, and most clients stay. */
export const CROWD = 1_000;

/** The router's settings, and how long the simulated gateway keeps a connection: AWS fixes that, a scenario may not. */
export interface SimulationSettings extends Settings {
  readonly sockets: ConnectionPolicy;
}

/** A connection that is cut during an outage of half a day would tell nothing about it. */
const FOR_OUTAGES = 400_000;

/** Small pages, batches and limits, so that twenty connections meet every branch that a million would. */
export function settingsFor(connections: number, { outage, slow }: Scenario, dice: Dice): SimulationSettings {
  if (connections > CROWD) return simulated({});
  if (slow !== undefined) return simulated({ advanced: { pageSize: 50, firstPageSize: 50 } });
  const lane = () => ({ concurrency: dice.whole(2, 4), batchSize: dice.whole(1, 10) });
  const lanes = Object.fromEntries(LANES.map((name) => [name, lane()])) as Record<
    Lane,
    ReturnType<typeof lane>
  >;
  const deliveryRounds = dice.pick([3, 5]);
  const sends = { sendsInFlight: dice.whole(1, 6), sendAttempts: dice.whole(1, 5) };
  const reserveMilliseconds = dice.whole(6_000, 10_000);
  const pageSize = dice.whole(2, 8);
  const firstPageSize = Math.min(pageSize, dice.whole(1, 4));
  const pendingLimit = dice.whole(2, 8);
  const recipientsPerRun = dice.whole(2, 30);
  const splitLimit = dice.whole(2, 4);
  const quotaRequestsPerSecond = outage ? 10_000 : dice.pick([40, 100, 10_000]);
  const quotaFraction = dice.pick([0.3, 0.8]);
  const limit = () => (outage ? 1_000_000 : dice.whole(2, 20));
  const limits = { normal: limit(), low: limit() };
  const maxAgeSeconds = outage ? FOR_OUTAGES : dice.pick([CONNECTION_SECONDS, 300]);
  const timeoutSeconds = dice.pick([15, 30, 60]);
  const concurrency = (name: Lane) => ({ concurrency: lanes[name].concurrency });
  const retention = () => ({ seconds: dice.pick([60, 600, 3_600]), count: dice.pick([4, 20, 1_000]) });
  const streams = [{ topics: "*", ...retention() }];
  const userStreams = dice.chance(0.5) ? { userStreams: retention() } : {};
  const overrides: SettingsOverrides = {
    lanes: {
      high: concurrency("high"),
      normal: { ...concurrency("normal"), backlogLimitMessages: limits.normal },
      low: { ...concurrency("low"), backlogLimitMessages: limits.low },
      ...Object.fromEntries(FANOUT_LANES.map((name) => [name, concurrency(name)])),
    },
    deliveryRounds,
    recipientsPerRun,
    streams,
    ...userStreams,
    quotaRequestsPerSecond,
    quotaFraction,
    advanced: {
      ...sends,
      reserveMilliseconds,
      pageSize,
      firstPageSize,
      pendingLimit,
      splitLimit,
      batchSize: Object.fromEntries(LANES.map((name) => [name, lanes[name].batchSize])),
      backlogRefreshIntervalMilliseconds: 1_000,
      functions: { consume: { timeoutSeconds } },
    },
  };
  return simulated(overrides, { maxAgeSeconds, rowMarginSeconds: 60 });
}

const simulated = (
  overrides: SettingsOverrides,
  sockets: ConnectionPolicy = { maxAgeSeconds: CONNECTION_SECONDS, rowMarginSeconds: 600 },
): SimulationSettings => ({ ...settings(overrides), sockets });
