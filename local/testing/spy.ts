import { setTimeout as pause } from "node:timers/promises";
import type { Lane } from "../../shared/protocol/lane.ts";
import type { QueueSize, Queues, StoredDeadLetter } from "../emulators/queue.ts";
import type { SocketApi } from "../gateway/socket-api.ts";
import type { Faults } from "../lambda/fault.ts";
import type { RouterEvent } from "./observer.ts";
import type { Recorder } from "./recorder.ts";

type Kind = RouterEvent["kind"];
type EventOf<K extends Kind> = Extract<RouterEvent, { kind: K }>;
type Fields<K extends Kind> = { readonly kind: K } & Partial<EventOf<K>>;

export interface Waiting {
  /** How many such events there must have been since the start. @default 1 */
  readonly count?: number;
  /** Milliseconds. @default 10_000 */
  readonly timeout?: number;
}

/** A test's view of a running router: it looks, waits, and can make sends and connections fail. */
export interface Spy
  extends Pick<Recorder, "now" | "peaks" | "runs" | "traffic" | "events">,
    Pick<Faults, "failSends" | "startOutage">,
    Pick<SocketApi, "kill" | "halfOpen"> {
  /** Ids of the open connections, oldest first. */
  connections(): readonly string[];
  /** The n-th event that has these fields, past or to come. Rejects after the timeout. */
  waitFor<K extends Kind>(fields: Fields<K>, waiting?: Waiting): Promise<EventOf<K>>;
  /** Resolves when every lane is empty, hidden and delayed messages too, and no run is under way. */
  idle(waiting?: Pick<Waiting, "timeout">): Promise<void>;
  queueSizes(): Promise<Readonly<Record<Lane, QueueSize>>>;
  deadLetters(): Promise<readonly StoredDeadLetter[]>;
  /** Bytes for the connection that wait in this process because its client does not read. */
  bufferedBytes(connectionId: string): number;
}

interface SpyDeps {
  readonly recorder: Recorder;
  readonly faults: Faults;
  readonly queues: Pick<Queues, "sizes" | "deadLetters">;
  readonly sockets: Pick<SocketApi, "connections" | "kill" | "halfOpen">;
}

/** How often `idle` looks, in milliseconds. */
const LOOK = 10;

export function spy({ recorder, faults, queues, sockets }: SpyDeps): Spy {
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
    connections: () => [...sockets.connections.keys()],
    bufferedBytes: (connectionId) => sockets.connections.get(connectionId)?.socket.bufferedAmount ?? 0,
    waitFor: <K extends Kind>(fields: Fields<K>, waiting?: Waiting) => waitFor(recorder, fields, waiting),
    async idle({ timeout = 10_000 } = {}) {
      const until = performance.now() + timeout;
      while (now().runs > 0 || (await left(queues)) > 0) {
        if (performance.now() > until) {
          throw new Error(`not idle after ${timeout} ms: ${JSON.stringify(await queues.sizes())}`);
        }
        await pause(LOOK);
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
