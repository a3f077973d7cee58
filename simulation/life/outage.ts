import type { Scenario } from "../world/scenario.ts";
import type { Simulation } from "../world/world.ts";
import { planOf, post } from "./producer.ts";

/** Milliseconds before an outage begins, and after which the last message is posted once it is over. */
const AROUND = 30_000;

/** Milliseconds within which all is posted if nothing is down: so that poison has neighbours. */
const BURST = 3_000;

/** Posts before, during and after an outage; half of the messages at its start, so that they wait for all of it. */
export function throughOutage(world: Simulation, messages: number): Promise<unknown>[] {
  const { scheduler, dice, outages, scenario, trace } = world;
  const { outage, poison = 0 } = scenario;
  const lasts = (outage?.seconds ?? 0) * 1000;
  const poisoned = Math.min(messages, Math.ceil(messages * poison));
  const fatal = new Set<number>();
  while (fatal.size < poisoned) fatal.add(dice.whole(0, messages - 1));

  const down = async () => {
    await scheduler.sleep(AROUND);
    if (!outage || outage.atClaim) return;
    trace.note("outage", outage.kind);
    outages.begin(outage.kind, lasts);
  };
  const one = async (number: number) => {
    const span = outage ? 2 * AROUND + (number % 2 === 0 ? 0 : lasts) : BURST;
    await scheduler.sleep(dice.next() * span);
    const plan = planOf(world, number);
    if (!fatal.has(number)) return post(world, [plan]);
    const { ttlSeconds: _, ...lasting } = plan;
    const content = { ...plan.content, poison: true };
    await post(world, [{ ...lasting, target: { everyone: true }, content }]);
  };
  return [down(), ...Array.from({ length: messages }, (_, number) => one(number))];
}

/** Outages that begin at the first claims. */
const CLAIMS = 5;

/** What happens at a claim in an outage that begins there. */
export function atClaims({ outage }: Scenario, begin: (milliseconds: number) => void): () => void {
  let claims = 0;
  return () => {
    if (outage?.atClaim && ++claims <= CLAIMS) begin(outage.seconds * 1000);
  };
}
