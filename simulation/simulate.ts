import { liveAsClient } from "./life/client.ts";
import { settleIn } from "./life/crowd.ts";
import { laterDays } from "./life/days.ts";
import { disruptions } from "./life/disruptions.ts";
import { heal } from "./life/heal.ts";
import { throughOutage } from "./life/outage.ts";
import { topicsOf } from "./life/people.ts";
import { liveAsProducer } from "./life/producer.ts";
import { isBroken, untilQuiet } from "./life/quiet.ts";
import { redrive } from "./life/redrive.ts";
import { besideSlowClients } from "./life/slow.ts";
import { settleReaders, streamLives } from "./life/streams.ts";
import { judgeAftermath } from "./oracle/aftermath.ts";
import type { Violation } from "./oracle/history.ts";
import { judge } from "./oracle/violation.ts";
import { CROWD, settingsFor } from "./settings.ts";
import { buildSimulation } from "./world/build.ts";
import { dice } from "./world/dice.ts";
import { type FaultRates, faultRates } from "./world/faults.ts";
import type { Mutant } from "./world/mutant.ts";
import type { Scenario } from "./world/scenario.ts";
import type { Simulation } from "./world/world.ts";

export interface Options extends Scenario {
  readonly seed: number;
  readonly messages: number;
  readonly connections: number;
  /** Topics that clients subscribe to and messages are for. With one, every message is for it. */
  readonly topics: number;
  /** As `faultRates` reads it. */
  readonly faults: string;
  /** Whether to keep the trace as text. */
  readonly keepTrace?: boolean;
  readonly mutant?: Mutant;
}

export interface SimulationReport {
  readonly seed: number;
  /** The first rule that did not hold. */
  readonly violation?: Violation;
  readonly steps: number;
  /** Simulated. */
  readonly seconds: number;
  /** POSTs by the ending of their message; `refused` never got into the queue. */
  readonly endings: Readonly<Record<string, number>>;
  readonly frames: number;
  /** Frames that a connection got again, all excused. */
  readonly repeats: number;
  readonly misdirected: number;
  readonly deadLetters: number;
  /** Functions that their timeout killed. */
  readonly timeouts: number;
  readonly peak: { readonly runs: number; readonly sends: number; readonly sendsInRun: number };
  readonly faults: Readonly<Record<string, number>>;
  /** Of all that happened: the same for the same seed. */
  readonly digest: string;
  readonly trace: readonly string[];
}

/** Runs one seed from the first connection to the last check. */
export async function simulate(asked: Options): Promise<SimulationReport> {
  const options = { ...asked, ...asked.mutant?.in };
  const { seed, connections, mutant } = options;
  const world = buildSimulation({
    seed,
    settings: settingsFor(connections, options, dice(`${seed}/settings`)),
    rates: ratesFor(connections, faultRates(options.faults, dice(`${seed}/rates`))),
    topics: topicsOf(options.topics),
    keepTrace: options.keepTrace ?? false,
    scenario: options,
    ...(mutant ? { mutant } : {}),
  });
  const isScenario = options.outage || options.poison !== undefined || options.slow !== undefined;
  const residents = options.streams ? 0 : Math.ceil(connections / 2);
  await settleIn(world, isScenario || connections > CROWD ? connections : residents);
  await untilQuiet(world, ...(isScenario ? scenes(world, options) : lives(world, options)));
  if (!isBroken(world)) judgeAftermath(world);
  await laterDays(world);
  await redrive(world);
  if (!isBroken(world)) await judge(world);
  await settleReaders(world);
  await heal(world);
  return report(world, seed);
}

/** One thing that is unusual, while no client comes or goes. */
const scenes = (world: Simulation, { messages, slow }: Options): Promise<unknown>[] =>
  slow === undefined ? throughOutage(world, messages) : [besideSlowClients(world, messages)];

/** A run that sends thousands of times would never live to its end at the rate that a run of ten sends dies. */
function ratesFor(connections: number, rates: FaultRates): FaultRates {
  if (connections <= CROWD) return rates;
  const { "run-crash": crash = 0, "run-slow": slow = 0 } = rates;
  const share = 200 / connections;
  return { ...rates, "run-crash": crash * share, "run-slow": slow * share };
}

const BURSTS = 5;

/** Of a crowd only some come and go. */
function lives(world: Simulation, { messages, connections, streams }: Options): Promise<void>[] {
  if (streams) return [disruptions(world), ...streamLives(world, messages)];
  const { dice, gateway } = world;
  const there = gateway.sockets.slice(0, 50);
  const visitors = Math.min(connections, 100) - there.length;
  const clients = [
    ...there.map((socket) => liveAsClient(world, socket)),
    ...Array.from({ length: visitors }, () => liveAsClient(world)),
  ];
  const producers: Promise<void>[] = [disruptions(world)];
  for (let number = 0; number < messages; ) {
    const count = Math.min(messages - number, dice.whole(1, 3));
    producers.push(liveAsProducer(world, number, count));
    number += count;
  }
  return [...clients, ...producers, ...streamLives(world, BURSTS)];
}

function report(world: Simulation, seed: number): SimulationReport {
  const { oracle, scheduler, opening, queue, source, faults, trace, network } = world;
  const { records, violation } = oracle.book;
  const endings: Record<string, number> = {};
  let frames = 0;
  for (const { receipt, dropped, arrivals, message } of records) {
    const end = dropped ?? receipt?.state ?? (message ? "unwritten" : "refused");
    endings[end] = (endings[end] ?? 0) + 1;
    for (const some of arrivals.values()) frames += some.length;
  }
  const { peakSends, peakSendsInRun, repeats, misdirected } = oracle.totals;
  return {
    seed,
    ...(violation ? { violation } : {}),
    steps: scheduler.steps(),
    seconds: Math.round((scheduler.now() - opening) / 1000),
    endings,
    ...{ frames, repeats, misdirected, deadLetters: queue.deadLetters.length },
    timeouts: network.timeouts,
    peak: { runs: source.peakRuns, sends: peakSends, sendsInRun: peakSendsInRun },
    faults: faults.counts,
    digest: trace.digest(),
    trace: trace.lines,
  };
}
