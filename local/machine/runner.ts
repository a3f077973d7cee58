import { randomUUID } from "node:crypto";
import type { consumeHandler } from "../../functions/consume.ts";
import { LANES, type Lane } from "../../shared/protocol/lane.ts";
import type { World } from "../backend.ts";
import { byLane } from "../engine/lanes/lane.ts";
import type { EngineQueue, Taken } from "../engine/queue.ts";
import { crashLine } from "../invocation.ts";

export interface RunnerDeps extends Pick<World, "settings" | "limits" | "clock" | "observer" | "print"> {
  readonly queue: Pick<EngineQueue, "take" | "remove" | "onReady">;
  readonly consume: ReturnType<typeof consumeHandler>;
}

export interface Runner {
  /** Begins to take entries. */
  start(): void;
  /** Takes no more, and resolves once the runs under way have ended. */
  stop(): Promise<void>;
}

/** Hands what waits in the lanes to runs of the consumer: as much as a batch holds, as many runs as a lane has. */
export function runner({ queue, consume, settings, limits, clock, observer, print }: RunnerDeps): Runner {
  const { batchSize, functions } = settings.advanced;
  const running: Record<Lane, number> = { ...byLane(() => 0) };
  const runs = new Set<Promise<void>>();
  const most = limits.reservedConcurrency ?? Number.POSITIVE_INFINITY;
  let isTaking = false;

  const run = async (lane: Lane, taken: readonly Taken[]): Promise<void> => {
    const id = randomUUID();
    observer.record({ kind: "run-started", run: id, lane, messages: taken.length });
    const end = clock.now() + functions.consume.timeoutSeconds * 1_000;
    let failed: readonly string[] = [];
    let outcome: "returned" | "crashed" = "returned";
    try {
      failed = await consume(taken, { end });
      for (const { messageId, receiptHandle } of taken) {
        if (!failed.includes(messageId)) queue.remove(lane, receiptHandle);
      }
    } catch (fault) {
      outcome = "crashed";
      failed = taken.map(({ messageId }) => messageId);
      print(crashLine("consume", id, fault));
    }
    const response = { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
    observer.record({ kind: "run-ended", run: id, lane, outcome, failed, response });
  };

  const take = (lane: Lane): void => {
    while (isTaking && running[lane] < settings.lanes[lane].concurrency && runs.size < most) {
      const taken = queue.take(lane, batchSize[lane]);
      if (taken.length === 0) return;
      running[lane]++;
      const started = run(lane, taken).finally(() => {
        runs.delete(started);
        running[lane]--;
        // Where all lanes share a ceiling, the room may be another lane's.
        for (const other of most < Number.POSITIVE_INFINITY ? LANES : [lane]) take(other);
      });
      runs.add(started);
    }
  };

  /** What becomes visible in one turn of the event loop is taken together, by as few runs as it needs. */
  const due = new Set<Lane>();
  queue.onReady((lane) => {
    if (due.size === 0) {
      setImmediate(() => {
        const lanes = [...due];
        due.clear();
        for (const one of lanes) take(one);
      });
    }
    due.add(lane);
  });
  return {
    start() {
      isTaking = true;
      for (const lane of LANES) take(lane);
    },
    async stop() {
      isTaking = false;
      await Promise.all(runs);
    },
  };
}
