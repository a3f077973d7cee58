import { setTimeout as pause } from "node:timers/promises";
import type { Connection } from "../gateway/connection.ts";
import type { SocketApi } from "../gateway/socket-api.ts";
import type { Faults } from "./fault.ts";
import type { RouterEvent } from "./observer.ts";
import type { Queues } from "./queues.ts";
import type { Recorder } from "./recorder.ts";
import type { EventOf, Fields, Kind, Spy, Waiting } from "./spy.ts";

interface SpyDeps {
  readonly recorder: Recorder;
  readonly faults: Faults;
  readonly queues: Queues;
  readonly sockets: Pick<SocketApi, "kill" | "halfOpen">;
  readonly connections: ReadonlyMap<string, Connection>;
}

/** Milliseconds between two looks of `idle`: at the queues they cost calls, so the longer they hold something, the fewer. */
const LOOK = { least: 10, most: 100 };

/** The spy of a router. */
export function routerSpy({ recorder, faults, queues, sockets, connections }: SpyDeps): Spy {
  const { now, peaks, runs, traffic, events } = recorder;
  return {
    now,
    peaks,
    runs,
    traffic,
    events,
    failSends: faults.failSends,
    startOutage: faults.startOutage,
    kill: sockets.kill,
    halfOpen: sockets.halfOpen,
    connections: () => [...connections.keys()],
    bufferedBytes: (connectionId) => connections.get(connectionId)?.socket.bufferedAmount ?? 0,
    waitFor: <K extends Kind>(fields: Fields<K>, waiting?: Waiting) => waitFor(recorder, fields, waiting),
    async idle({ timeout = 10_000 } = {}) {
      const until = performance.now() + timeout;
      for (let look = LOOK.least; ; look = Math.min(1.5 * look, LOOK.most)) {
        if (now().runs > 0) look = LOOK.least;
        else if ((await left(queues)) === 0) return;
        if (performance.now() > until) {
          throw new Error(`not idle after ${timeout} ms: ${JSON.stringify(await queues.sizes())}`);
        }
        await pause(look);
      }
    },
    queueSizes: () => queues.sizes(),
    deadLetters: () => queues.deadLetters(),
  };
}

/** Messages in the lanes, whatever hides them. */
export async function left(queues: Pick<Queues, "sizes">): Promise<number> {
  const sizes = Object.values(await queues.sizes());
  return sizes.reduce((sum, { visible, inFlight, delayed }) => sum + visible + inFlight + delayed, 0);
}

function waitFor<K extends Kind>(
  recorder: Recorder,
  fields: Fields<K>,
  { count = 1, timeout = 10_000 }: Waiting = {},
): Promise<EventOf<K>> {
  const wanted = Object.entries(fields);
  const matches = (event: RouterEvent): event is EventOf<K> =>
    wanted.every(([key, value]) => (event as unknown as Record<string, unknown>)[key] === value);
  const past = recorder.events().filter(matches);
  const found = past[count - 1];
  if (found) return Promise.resolve(found);
  return new Promise((resolve, reject) => {
    let missing = count - past.length;
    const timer = setTimeout(() => {
      stop();
      const seen = `${count - missing} of ${count}`;
      reject(new Error(`saw ${seen} events ${JSON.stringify(fields)} within ${timeout} ms`));
    }, timeout);
    const stop = recorder.listen((event) => {
      if (!matches(event) || --missing > 0) return;
      clearTimeout(timer);
      stop();
      resolve(event);
    });
  });
}
