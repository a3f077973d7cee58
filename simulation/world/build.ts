import { backlog } from "../../shared/pipeline/ingest/backlog.ts";
import type { Lane } from "../../shared/protocol/lane.ts";
import { MAX_RECEIVES } from "../../shared/protocol/limits.ts";
import type { Topic } from "../../shared/protocol/tag.ts";
import { visibilitySeconds } from "../../shared/settings/derived.ts";
import { backlogPolicy, deliveryPolicy } from "../../shared/settings/policy.ts";
import { memoryConnections } from "../../testing/memory/connections.ts";
import { memoryReceipts } from "../../testing/memory/receipts.ts";
import { memoryStreams } from "../../testing/memory/streams.ts";
import { memorySubscriptions } from "../../testing/memory/subscriptions.ts";
import { afterClaim } from "../life/disruptions.ts";
import { atClaims } from "../life/outage.ts";
import { createOracle } from "../oracle/oracle.ts";
import type { SimulationSettings } from "../settings.ts";
import { consumer } from "./consumer.ts";
import { dice } from "./dice.ts";
import { simulatedEventSource } from "./event-source.ts";
import { type FaultRates, faultsOf } from "./faults.ts";
import { simulatedGateway } from "./gateway.ts";
import { invoker } from "./invoke.ts";
import type { Mutant } from "./mutant.ts";
import { simulatedNetwork } from "./network.ts";
import { outages as outagesOf } from "./outage.ts";
import { poison as poisonOf } from "./poison.ts";
import { type Ports, portsOf, type Tables } from "./ports.ts";
import { simulatedQueue } from "./queue.ts";
import type { ClientBugs } from "./reader.ts";
import type { Scenario } from "./scenario.ts";
import { type Actor, scheduler as schedulerFrom } from "./scheduler.ts";
import { traceOf } from "./trace.ts";
import type { Simulation } from "./world.ts";

export interface SimulationSetup {
  readonly seed: number;
  readonly settings: SimulationSettings;
  readonly rates: FaultRates;
  readonly topics: readonly Topic[];
  readonly keepTrace: boolean;
  readonly scenario: Scenario;
  readonly mutant?: Mutant;
}

const START = Date.parse("2026-01-01T00:00:00Z");
const OPEN_FOR = 5 * 60_000;
const CALL_TIMEOUT = 10_000;

/** Builds the real pipeline between memory adapters, a queue, a gateway and clients that are as bad as a seed says. */
export function buildSimulation({
  seed,
  settings,
  rates,
  topics,
  keepTrace,
  scenario,
  mutant,
}: SimulationSetup): Simulation {
  const throws = (purpose: string) => dice(`${seed}/${purpose}`);
  const scheduler = schedulerFrom(throws("scheduler"), START);
  const { now, sleep } = scheduler;
  const faults = faultsOf(rates, throws("faults"));
  const trace = traceOf(() => now() - START, keepTrace);
  const outages = outagesOf(scheduler);
  const common = { scheduler, faults, outages, trace, settings };
  const network = simulatedNetwork({ ...common, dice: throws("network") });
  const policy = deliveryPolicy(settings);
  const { sendTimeoutMilliseconds, deathLimit: deaths, quotaRequestsPerSecond: quota } = policy;
  const gatewayWorld = { now, sleep, faults, outages, quota };
  const gateway = simulatedGateway({ ...gatewayWorld, dice: throws("gateway") });
  const tables = {
    receipts: memoryReceipts(),
    subscriptions: memorySubscriptions(),
    connections: memoryConnections(),
    streams: memoryStreams(),
  };
  const hidden = { visibilitySeconds: visibilitySeconds(settings) };
  // What a mutant does to the tables, everyone sees but those who settle in before the first message.
  let seen: Tables | undefined;
  const seenTables = (): Tables => {
    seen ??= { ...tables, ...mutant?.tables?.(tables, world) };
    return seen;
  };
  const oracle = createOracle({
    ...{ now, trace, gateway, settings },
    ...hidden,
    find: (...asked) => seenTables().receipts.find(...asked),
    rowsOf: tables.streams.rowsOf,
  });
  const queue = simulatedQueue({
    ...{ now, sleep, faults },
    ...hidden,
    dice: throws("queue"),
    maxReceives: MAX_RECEIVES,
    onChange: (lane) => source.wake(lane),
  });
  const poison = poisonOf({ scheduler, network, deaths, dice: throws("poison") });
  let ids = 0;
  const newId = () => `id-${++ids}`;
  const parts = {
    ...common,
    ...hidden,
    network,
    gateway,
    tables,
    oracle,
    queue,
    poison,
    newId,
    sendTimeoutMilliseconds,
  };
  const begins = atClaims(scenario, (milliseconds) => {
    if (scenario.outage) outages.begin(scenario.outage.kind, milliseconds);
  });
  const onClaim = () => {
    begins();
    afterClaim(world);
  };
  const portsWorld = { ...parts, onClaim, dice: throws("ports") };
  const ports = (actor: Actor): Ports => {
    const plain = portsOf({ ...portsWorld, tables: seenTables() }, actor);
    return mutant?.ports ? { ...plain, ...mutant.ports(plain, world, actor) } : plain;
  };
  const source = simulatedEventSource({
    ...parts,
    dice: throws("source"),
    consume: consumer({
      ...{ settings, ports, mutant, clock: { now, monotonic: now } },
      dice: throws("containers"),
      policy: { ...policy, ...mutant?.policy?.(policy) },
    }),
    onReturn: oracle.returned,
    violate: oracle.violate,
  });
  const waiting = async (lane: Lane) => {
    await sleep(10);
    return queue.backlog(lane);
  };
  const world: Simulation = {
    ...parts,
    source,
    scenario,
    topics,
    dice: throws("world"),
    readers: [],
    bugs: mutant && bugsOf(mutant, () => world),
    invoke: invoker({ network, trace, ports, timeout: CALL_TIMEOUT }),
    backlog: backlog({ queue: { backlog: waiting }, clock: scheduler, policy: backlogPolicy(settings) }),
    opening: START,
    closing: START + OPEN_FOR,
  };
  return world;
}

function bugsOf({ place, isEarly, reply, kept }: Mutant, world: () => Simulation): ClientBugs {
  return {
    ...(place ? { place } : {}),
    ...(isEarly ? { isEarly } : {}),
    ...(kept ? { kept } : {}),
    ...(reply ? { reply: (frame, user) => reply(frame, world(), user) } : {}),
  };
}
