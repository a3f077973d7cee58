import { type Settings, settings } from "../shared/settings.ts";
import type { Dice } from "./world/dice.ts";

/** Above this many connections, settings are those of production, and most clients stay. */
export const CROWD = 1_000;

/** Small pages, batches and limits, so that twenty connections meet every branch that a million would. */
export function settingsFor(connections: number, dice: Dice): Settings {
  if (connections > CROWD) return settings();
  const lane = () => ({ concurrency: dice.whole(2, 4), batchSize: dice.whole(1, 10) });
  return settings({
    lanes: { high: lane(), normal: lane(), low: lane(), fanout: lane() },
    delivery: {
      rounds: dice.among([3, 5]),
      postsInFlight: dice.whole(1, 6),
      postAttempts: dice.whole(1, 3),
      reserve: dice.whole(3_000, 10_000),
      pageSize: dice.whole(2, 8),
      firstPageSize: dice.whole(1, 4),
      pendingLimit: dice.whole(2, 8),
      share: dice.whole(2, 30),
      splitLimit: dice.whole(2, 4),
      pace: { quota: dice.among([100, 10_000]) },
    },
    backlog: { limits: { normal: dice.whole(2, 20), low: dice.whole(2, 20) }, lookEvery: 1_000 },
    sockets: { maxAge: dice.among([7_200, 300]), rowMargin: 60 },
    functions: { consume: { timeoutSeconds: dice.among([15, 30, 60]) } },
  });
}
