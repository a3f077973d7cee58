import type { Lane } from "../../shared/domain/lane.ts";
import type { Received } from "../../shared/pipeline/record.ts";
import { reservedConcurrency, type Settings } from "../../shared/settings.ts";
import type { Dice } from "./dice.ts";
import type { Faults } from "./faults.ts";
import type { Network } from "./network.ts";
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
  /** Runs the function; answers the ids of records that the queue must keep. */
  readonly consume: (actor: Actor, records: readonly Received[], end: number) => Promise<readonly string[]>;
  readonly violate: (rule: string, detail: string) => void;
}

/** One event source mapping per lane, as Lambda polls: never above MaximumConcurrency, one function behind all. */
export function simulatedEventSource(world: EventSourceWorld): EventSource {
  const { scheduler, dice, faults, network, queue, trace, settings } = world;
  const timeout = settings.functions.consume.timeoutSeconds * 1000;
  const runs = new Map<Actor, Lane>();
  const polls = new Map<Lane, number>();
  let peakRuns = 0;
  let started = 0;
  const inLane = (lane: Lane) => [...runs.values()].filter((one) => one === lane).length;

  const wake = (lane: Lane) => {
    const visible = queue.nextVisible(lane);
    if (visible === undefined || inLane(lane) >= settings.lanes[lane].concurrency) return;
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
    const { concurrency, batchSize } = settings.lanes[lane];
    if (inLane(lane) >= concurrency) return;
    const batch = queue.take(lane, dice.whole(1, batchSize));
    if (batch.length > 0) void run(lane, batch);
    wake(lane);
  };

  const run = async (lane: Lane, batch: readonly Stored[]): Promise<void> => {
    const name = `run-${++started}`;
    trace.note(name, `receives ${lane}`, () =>
      batch.map(({ id, receives }) => `${id} for the ${receives}. time`).join(", "),
    );
    if (faults.strikes("run-throttled")) return trace.note(name, "is throttled");
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
    try {
      const kept = new Set(await world.consume(actor, batch.map(received(lane)), end));
      trace.note(name, "returns", () => `keeps ${[...kept].join(", ")}`);
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
