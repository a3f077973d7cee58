import type { Received } from "../../shared/pipeline/consume/record.ts";
import { LANES, type Lane } from "../../shared/protocol/lane.ts";
import { reservedConcurrency } from "../../shared/settings/derived.ts";
import type { Settings } from "../../shared/settings/schema.ts";
import type { Dice } from "./dice.ts";
import type { Faults } from "./faults.ts";
import type { Network } from "./network.ts";
import type { Outages } from "./outage.ts";
import type { SimulatedQueue, Stored } from "./queue.ts";
import type { Actor, Scheduler } from "./scheduler.ts";
import type { Trace } from "./trace.ts";

export interface EventSource {
  /** A lane may have something to receive. */
  wake(lane: Lane): void;
  running(): number;
  readonly peakRuns: number;
}

export interface EventSourceWorld {
  readonly scheduler: Scheduler;
  readonly dice: Dice;
  readonly faults: Faults;
  readonly network: Network;
  readonly queue: SimulatedQueue;
  readonly trace: Trace;
  readonly settings: Settings;
  readonly outages: Outages;
  readonly visibilitySeconds: number;
  /** Runs the function; answers the ids of records that the queue must keep. */
  readonly consume: (actor: Actor, records: readonly Received[], end: number) => Promise<readonly string[]>;
  /** A run has come to its end alive. */
  readonly onReturn: (actor: Actor) => void;
  readonly violate: (rule: string, detail: string) => void;
}

/** Milliseconds between two offers of a batch whose run cannot start, at most. */
const LONGEST_OFFER = 30_000;

/** One event source mapping per lane, as Lambda polls: never above MaximumConcurrency, one function behind all. */
export function simulatedEventSource(world: EventSourceWorld): EventSource {
  const { scheduler, dice, faults, network, queue, trace, settings, outages } = world;
  const timeout = settings.advanced.functions.consume.timeoutSeconds * 1000;
  const runs = new Map<Actor, Lane>();
  const polls = new Map<Lane, number>();
  let peakRuns = 0;
  let started = 0;
  const offered = Object.fromEntries(LANES.map((lane) => [lane, 0])) as Record<Lane, number>;
  const inLane = (lane: Lane) => [...runs.values()].filter((one) => one === lane).length;
  /** A poller that cannot start its run holds its batch, and receives nothing else. */
  const taken = (lane: Lane) => inLane(lane) + offered[lane];

  const wake = (lane: Lane) => {
    const visible = queue.nextVisible(lane);
    if (visible === undefined || taken(lane) >= settings.lanes[lane].concurrency) return;
    const at = Math.max(visible, scheduler.now()) + dice.whole(1, 50);
    const planned = polls.get(lane);
    if (planned !== undefined && planned <= at) return;
    polls.set(lane, at);
    void scheduler.sleep(at - scheduler.now()).then(() => {
      if (polls.get(lane) !== at) return;
      polls.delete(lane);
      poll(lane);
    });
  };

  const poll = (lane: Lane) => {
    const { concurrency } = settings.lanes[lane];
    if (taken(lane) >= concurrency) return;
    const batch = queue.receive(lane, dice.whole(1, settings.advanced.batchSize[lane]));
    if (batch.length > 0) void offer(lane, batch);
    wake(lane);
  };

  /**
   * Offers a batch until a run takes it, with back-off, and gives it up after its visibility timeout: its receives are
   * used up all the same.
   */
  const offer = async (lane: Lane, batch: readonly Stored[]): Promise<void> => {
    const name = `run-${++started}`;
    const latest = scheduler.now() + world.visibilitySeconds * 1000;
    trace.note(name, `receives ${lane}`, () =>
      batch.map(({ id, receives }) => `${id} for the ${receives}. time`).join(", "),
    );
    if (faults.strikes("run-dropped")) return trace.note(name, "never starts");
    offered[lane]++;
    let wait = 1_000;
    while (outages.is("runs-throttled") || faults.strikes("run-throttled")) {
      trace.note(name, "is throttled");
      if (scheduler.now() + wait > latest) break;
      await scheduler.sleep(wait * (0.5 + dice.next() / 2));
      wait = Math.min(2 * wait, LONGEST_OFFER);
    }
    offered[lane]--;
    if (scheduler.now() + wait <= latest) return run(name, lane, batch);
    trace.note(name, "never starts");
    wake(lane);
  };

  const run = async (name: string, lane: Lane, batch: readonly Stored[]): Promise<void> => {
    const over = () => {
      runs.delete(actor);
      wake(lane);
    };
    const actor = network.spawn(name, timeout, over);
    runs.set(actor, lane);
    peakRuns = Math.max(peakRuns, runs.size);
    if (inLane(lane) > settings.lanes[lane].concurrency || runs.size > reservedConcurrency(settings)) {
      world.violate("runs are bounded", `${runs.size} runs, ${inLane(lane)} of them in lane ${lane}`);
    }
    const end = Math.floor(scheduler.now() + actor.skew) + timeout;
    actor.end = end;
    try {
      const kept = new Set(await world.consume(actor, batch.map(received(lane)), end));
      trace.note(name, "returns", () => `keeps ${[...kept].join(", ")}`);
      world.onReturn(actor);
      for (const { id, handle } of batch) if (!kept.has(id)) queue.remove(lane, handle);
    } catch (fault) {
      world.violate("one bad record never fails its batch", `${name}: ${fault}`);
    }
    network.retire(actor);
    over();
  };

  return {
    wake,
    running: () => runs.size,
    get peakRuns() {
      return peakRuns;
    },
  };
}

const received =
  (lane: Lane) =>
  ({ id, body, receives, handle }: Stored): Received => ({
    messageId: id,
    lane,
    body,
    receive: receives,
    receiptHandle: handle,
  });
