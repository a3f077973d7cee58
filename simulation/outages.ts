import { SCENE_FAULTS } from "./arguments.ts";
import { type SimulationReport, simulate } from "./simulate.ts";
import { OUTAGES } from "./world/outage.ts";
import type { OutagePlan } from "./world/scenario.ts";

/** Seconds that an outage lasts. */
const LENGTHS = [20, 300, 1_800, 43_200];
/** Seconds that one lasts which begins and ends between a claim and what the run writes. */
const MOMENTS = [1, 5];

/** Every kind of outage, for moments and for half a day, alone and with messages that kill their run. */
const PLANS: readonly OutagePlan[] = OUTAGES.flatMap((kind) => [
  ...MOMENTS.map((seconds) => ({ kind, seconds, atClaim: true })),
  ...LENGTHS.map((seconds) => ({ kind, seconds, atClaim: false })),
]);

const SEEDS = 3;

const say = (text: string) => process.stdout.write(`${text}\n`);

async function report(outage: OutagePlan, poison: number | undefined): Promise<boolean> {
  const name = `${outage.kind}:${outage.seconds}${outage.atClaim ? "@claim" : ""}`;
  const reports: SimulationReport[] = [];
  for (let seed = 1; seed <= SEEDS; seed++) {
    const size = { messages: outage.seconds > 10_000 ? 8 : 24, connections: 16, topics: 3 };
    const scene = { outage, faults: SCENE_FAULTS, ...(poison === undefined ? {} : { poison }) };
    reports.push(await simulate({ seed, ...size, ...scene }));
  }
  const endings = new Map<string, number>();
  for (const [ending, count] of reports.flatMap((report) => Object.entries(report.endings))) {
    endings.set(ending, (endings.get(ending) ?? 0) + count);
  }
  const counts = [...endings].map(([ending, count]) => `${ending} ${count}`).join(", ");
  say(`${name.padEnd(28)}${poison === undefined ? "      " : "poison"}  ${counts}`);
  for (const { seed, violation } of reports) {
    if (violation) say(`  seed ${seed}: ${violation.rule}: ${violation.detail}`);
  }
  return reports.every(({ violation }) => violation === undefined);
}

let fine = true;
for (const plan of PLANS) {
  for (const poison of [undefined, 0.01]) fine = (await report(plan, poison)) && fine;
}
process.exitCode = fine ? 0 : 1;
