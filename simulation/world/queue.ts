import { LANES, type Lane } from "../../shared/protocol/lane.ts";
import type { Dice } from "./dice.ts";
import type { Faults } from "./faults.ts";

/** One SQS message. A redrive and a second send make another one of the same body. */
export interface Stored {
  readonly id: string;
  readonly body: string;
  /** When the next receive may have it, milliseconds since 1970. */
  readonly visibleAt: number;
  readonly receives: number;
  /** Of the last receive. */
  readonly handle: string;
}

export interface SimulatedDeadLetter {
  readonly id: string;
  readonly lane: Lane;
  readonly body: string;
  /** Absent where SQS moved it by itself. */
  readonly reason?: string;
}

export interface SimulatedQueue {
  put(lane: Lane, body: string, delaySeconds?: number): void;
  /** Receives at most `most` messages. Moves those received too often to the dead-letter queue. */
  receive(lane: Lane, most: number): Stored[];
  changeVisibility(lane: Lane, handle: string, seconds: number): void;
  remove(lane: Lane, handle: string): void;
  /** Returns the message of a receipt handle, if it still exists. */
  peek(lane: Lane, handle: string): Stored | undefined;
  deadLetter(lane: Lane, body: string, reason?: string): void;
  /** Removes a dead letter. Returns false if it does not exist. */
  removeDeadLetter(id: string): boolean;
  /** Returns the time at which the lane has a message to receive. Undefined if it is empty. */
  nextVisible(lane: Lane): number | undefined;
  /** Returns the number of messages, including hidden and delayed ones. */
  backlog(lane: Lane): number;
  readonly deadLetters: readonly SimulatedDeadLetter[];
  size(): number;
}

export interface QueueWorld {
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
  readonly dice: Dice;
  readonly faults: Faults;
  readonly maxReceives: number;
  readonly visibilitySeconds: number;
  /** Called whenever a lane may have a message to receive. */
  readonly onChange: (lane: Lane) => void;
}

/** Which receive of a message a handle is of. */
export const receiveOf = (handle: string): number => Number(handle.slice(handle.indexOf("/") + 1));

const MINUTE = 60_000;

/** SQS standard queues with one dead-letter queue, with every fault that AWS allows. */
export function simulatedQueue(world: QueueWorld): SimulatedQueue {
  const { now, dice, faults } = world;
  const lanes = Object.fromEntries(
    LANES.map((lane) => [lane, new Map<string, Stored>()]),
  ) as unknown as Record<Lane, Map<string, Stored>>;
  const deadLetters: SimulatedDeadLetter[] = [];
  let made = 0;

  const store = (lane: Lane, stored: Stored) => {
    lanes[lane].set(stored.id, stored);
    world.onChange(lane);
  };
  const put = (lane: Lane, body: string, delaySeconds = 0) => {
    const late = faults.strikes("queue-late") ? dice.whole(0, 3 * MINUTE) : 0;
    const visibleAt = now() + delaySeconds * 1000 + late;
    store(lane, { id: `sqs-${++made}`, body, visibleAt, receives: 0, handle: "" });
  };
  const deadLetter = (lane: Lane, body: string, reason?: string) => {
    deadLetters.push({ id: `dead-${++made}`, lane, body, ...(reason === undefined ? {} : { reason }) });
  };
  const withHandle = (lane: Lane, handle: string) => {
    const stored = lanes[lane].get(handle.slice(0, handle.indexOf("/")));
    return stored && { stored, current: stored.handle === handle };
  };

  const remove = (lane: Lane, handle: string) => {
    const found = withHandle(lane, handle);
    // An older receipt handle may or may not delete what was received again since (SQS DeleteMessage).
    if (!found || (!found.current && dice.chance(0.5))) return;
    lanes[lane].delete(found.stored.id);
  };

  return {
    put(lane, body, delaySeconds) {
      put(lane, body, delaySeconds);
      if (faults.strikes("queue-twice")) put(lane, body, delaySeconds);
    },
    receive(lane, most) {
      const visible = [...lanes[lane].values()].filter(({ visibleAt }) => visibleAt <= now());
      const order = faults.strikes("queue-disorder")
        ? new Map(visible.map((stored) => [stored, dice.next()]))
        : new Map(visible.map((stored) => [stored, stored.visibleAt]));
      visible.sort((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0));
      const taken: Stored[] = [];
      for (const stored of visible) {
        if (taken.length === most) break;
        if (stored.receives >= world.maxReceives) {
          lanes[lane].delete(stored.id);
          deadLetter(lane, stored.body);
          continue;
        }
        const receives = stored.receives + 1;
        const hidden = world.visibilitySeconds * 1000 * (faults.strikes("queue-early") ? dice.next() : 1);
        const received = {
          ...stored,
          receives,
          visibleAt: now() + hidden,
          handle: `${stored.id}/${receives}`,
        };
        store(lane, received);
        taken.push(received);
        if (taken.length === most || !faults.strikes("queue-doubled")) continue;
        const again = { ...received, receives: receives + 1, handle: `${stored.id}/${receives + 1}` };
        store(lane, again);
        taken.push(again);
      }
      return taken;
    },
    changeVisibility(lane, handle, seconds) {
      const found = withHandle(lane, handle);
      if (!found?.current || found.stored.visibleAt <= now()) return;
      store(lane, { ...found.stored, visibleAt: now() + seconds * 1000 });
    },
    remove(lane, handle) {
      if (faults.strikes("queue-undeleted")) return;
      if (!faults.strikes("delete-late")) return remove(lane, handle);
      void world.sleep(dice.whole(0, MINUTE)).then(() => remove(lane, handle));
    },
    peek: (lane, handle) => withHandle(lane, handle)?.stored,
    deadLetter,
    removeDeadLetter(id) {
      const at = deadLetters.findIndex((stored) => stored.id === id);
      if (at >= 0) deadLetters.splice(at, 1);
      return at >= 0;
    },
    nextVisible(lane) {
      let next: number | undefined;
      for (const { visibleAt } of lanes[lane].values()) {
        if (next === undefined || visibleAt < next) next = visibleAt;
      }
      return next;
    },
    backlog: (lane) => lanes[lane].size,
    deadLetters,
    size: () => LANES.reduce((sum, lane) => sum + lanes[lane].size, 0),
  };
}
