import { type Settings, settings } from "../shared/settings/settings.ts";
import type { Dice } from "./world/dice.ts";
import type { Scenario } from "./world/scenario.ts";

/** Above this many connections, settings are those of production, and most clients stay. */
export const CROWD = 1_000;

/** A connection that is cut during an outage of half a day would tell nothing about it. */
const FOR_OUTAGES = { maxAge: 400_000, rowMargin: 60 };

/** Small pages, batches and limits, so that twenty connections meet every branch that a million would. */
export function settingsFor(connections: number, { outage, slow }: Scenario, dice: Dice): Settings {
  if (connections > CROWD) return settings();
  if (slow !== undefined) return settings({ delivery: { pageSize: 50, firstPageSize: 50 } });
  const lane = () => ({ concurrency: dice.whole(2, 4), batchSize: dice.whole(1, 10) });
  return settings({
    lanes: { high: lane(), normal: lane(), low: lane(), fanout: lane() },
    delivery: {
      rounds: dice.among([3, 5]),
      postsInFlight: dice.whole(1, 6),
      postAttempts: dice.whole(1, 5),
      reserve: dice.whole(3_000, 10_000),
      pageSize: dice.whole(2, 8),
      firstPageSize: dice.whole(1, 4),
      pendingLimit: dice.whole(2, 8),
      share: dice.whole(2, 30),
      splitLimit: dice.whole(2, 4),
      pace: { quota: outage ? 10_000 : dice.among([40, 100, 10_000]), share: dice.among([0.3, 0.8]) },
    },
    backlog: outage
      ? { limits: { normal: 1_000_000, low: 1_000_000 }, lookEvery: 1_000 }
      : { limits: { normal: dice.whole(2, 20), low: dice.whole(2, 20) }, lookEvery: 1_000 },
    sockets: outage ? FOR_OUTAGES : { maxAge: dice.among([7_200, 300]), rowMargin: 60 },
    functions: { consume: { timeoutSeconds: dice.among([15, 30, 60]) } },
  });
}
