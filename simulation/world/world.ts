import { memoryConnections } from "../../shared/adapters/memory/connections.ts";
import { memoryReceipts } from "../../shared/adapters/memory/receipts.ts";
import { type MemorySubscriptions, memorySubscriptions } from "../../shared/adapters/memory/subscriptions.ts";
import type { Lane } from "../../shared/domain/lane.ts";
import { MAX_RECEIVES } from "../../shared/domain/limits.ts";
import type { MessageId } from "../../shared/domain/message.ts";
import type { DeliveryPolicy } from "../../shared/domain/policy.ts";
import type { ReceiptRow } from "../../shared/domain/receipt-row.ts";
import type { Topic, UserId } from "../../shared/domain/tag.ts";
import { type Backlog, backlog } from "../../shared/pipeline/backlog.ts";
import { type Settings, visibilitySeconds } from "../../shared/settings.ts";
import { type Witness, witnessOf } from "../witness/witness.ts";
import { consumer } from "./consumer.ts";
import { type Dice, dice } from "./dice.ts";
import { type EventSource, simulatedEventSource } from "./event-source.ts";
import { type FaultRates, type Faults, faultsOf } from "./faults.ts";
import { type Gateway, simulatedGateway } from "./gateway.ts";
import { type Invoke, invoker } from "./invoke.ts";
import { type Network, simulatedNetwork } from "./network.ts";
import { type Ports, portsOf, type Tables } from "./ports.ts";
import { type SimulatedQueue, simulatedQueue } from "./queue.ts";
import { type Actor, type Scheduler, scheduler as schedulerFrom } from "./scheduler.ts";
import { type Trace, traceOf } from "./trace.ts";

/** A bug planted around the pipeline, to see whether the rules notice. */
export interface Mutant {
  readonly why: string;
  /** Ports that every function sees instead of its own. */
  readonly ports?: (ports: Ports, world: World) => Partial<Ports>;
  /** What the consumer does by another policy than the rules know. */
  readonly policy?: Partial<DeliveryPolicy>;
}

/** All that one simulation consists of. */
export interface World {
  readonly scheduler: Scheduler;
  readonly dice: Dice;
  readonly faults: Faults;
  readonly trace: Trace;
  readonly settings: Settings;
  readonly network: Network;
  readonly queue: SimulatedQueue;
  readonly source: EventSource;
  readonly gateway: Gateway;
  readonly tables: Tables & { readonly subscriptions: MemorySubscriptions };
  readonly rowsOf: (producer: UserId, id: MessageId) => readonly ReceiptRow[];
  readonly witness: Witness;
  readonly invoke: Invoke;
  /** What the containers of ingest know of the lanes. */
  readonly backlog: Backlog;
  readonly topics: readonly Topic[];
  /** When it began, and when clients and producers stop changing anything. Milliseconds since 1970. */
  readonly opening: number;
  readonly closing: number;
}

export interface Plan {
  readonly seed: number;
  readonly settings: Settings;
  readonly rates: FaultRates;
  readonly topics: readonly Topic[];
  readonly keepTrace: boolean;
  readonly mutant?: Mutant;
}

const START = Date.parse("2026-01-01T00:00:00Z");
const OPEN_FOR = 5 * 60_000;
const CALL_TIMEOUT = 10_000;

/** Builds the real pipeline between memory adapters, a queue, a gateway and clients that are as bad as a seed says. */
export function worldOf({ seed, settings, rates, topics, keepTrace, mutant }: Plan): World {
  const throws = (purpose: string) => dice(`${seed}/${purpose}`);
  const scheduler = schedulerFrom(throws("scheduler"), START);
  const { now, sleep } = scheduler;
  const faults = faultsOf(rates, throws("faults"));
  const trace = traceOf(() => now() - START, keepTrace);
  const common = { scheduler, faults, trace, settings };
  const network = simulatedNetwork({ ...common, dice: throws("network") });
  const gateway = simulatedGateway({ now, sleep, faults, dice: throws("gateway") });
  const receipts = memoryReceipts();
  const tables = { receipts, subscriptions: memorySubscriptions(), connections: memoryConnections() };
  const { rowsOf } = receipts;
  const { postsInFlight, postTimeout } = settings.delivery;
  const hidden = { visibilitySeconds: visibilitySeconds(settings) };
  const witness = witnessOf({ now, trace, gateway, rowsOf, postsInFlight, ...hidden });
  const queue = simulatedQueue({
    now,
    faults,
    ...hidden,
    dice: throws("queue"),
    maxReceives: MAX_RECEIVES,
    onChange: (lane) => source.wake(lane),
  });
  let ids = 0;
  const newId = () => `id-${++ids}`;
  const parts = { ...common, network, gateway, tables, witness, queue, newId, postTimeout };
  const portsWorld = { ...parts, dice: throws("ports") };
  const ports = (actor: Actor): Ports => {
    const plain = portsOf(portsWorld, actor);
    return mutant?.ports ? { ...plain, ...mutant.ports(plain, world) } : plain;
  };
  const source = simulatedEventSource({
    ...parts,
    dice: throws("source"),
    consume: consumer({ settings, ports, policy: { ...settings.delivery, ...mutant?.policy } }),
    violate: witness.violate,
  });
  const waiting = async (lane: Lane) => {
    await sleep(10);
    return queue.backlog(lane);
  };
  const world: World = {
    ...parts,
    source,
    rowsOf,
    topics,
    dice: throws("world"),
    invoke: invoker({ network, trace, ports, timeout: CALL_TIMEOUT }),
    backlog: backlog({ queue: { backlog: waiting }, clock: scheduler, policy: settings.backlog }),
    opening: START,
    closing: START + OPEN_FOR,
  };
  return world;
}
