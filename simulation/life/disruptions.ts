import type { FaultName } from "../world/faults.ts";
import { OUTAGES, type OutageKind } from "../world/outage.ts";
import type { Simulation } from "../world/world.ts";

const FAULT = {
  "gateway-503": "outage-gateway",
  "gateway-403": "outage-forbidden",
  "table-throttled": "outage-table",
  "table-half": "outage-half",
  "runs-throttled": "outage-runs",
} as const satisfies Record<OutageKind, FaultName>;

/** Milliseconds after which each kind of outage is tried for again. */
const STEP = 15_000;

/** Lets things be down for a while, now and then, until the world closes. */
export async function disruptions({
  scheduler,
  faults,
  outages,
  dice,
  closing,
  trace,
}: Simulation): Promise<void> {
  while (scheduler.now() < closing) {
    for (const kind of OUTAGES) {
      if (!faults.strikes(FAULT[kind])) continue;
      const lasts = dice.pick([dice.whole(500, 5_000), dice.whole(5_000, 60_000)]);
      trace.note("outage", kind, () => `for ${lasts} ms`);
      outages.begin(kind, lasts);
    }
    await scheduler.sleep(STEP);
  }
}

/** One that begins just after a claim, and may end before the run writes what it did. */
export function afterClaim({
  faults,
  outages,
  dice,
  trace,
}: Pick<Simulation, "faults" | "outages" | "dice" | "trace">) {
  if (!faults.strikes("outage-claim")) return;
  const kind = dice.pick(OUTAGES);
  const lasts = dice.whole(100, 5_000);
  trace.note("outage", kind, () => `for ${lasts} ms, after a claim`);
  outages.begin(kind, lasts);
}
