import type { Dice } from "./dice.ts";
import { heap } from "./heap.ts";

/** Someone whose awaits the scheduler ends: one invocation of a function, with its own clock. */
export interface Actor {
  readonly name: string;
  /** How far its clock is ahead, in milliseconds. */
  readonly skew: number;
  alive: boolean;
  /** Why it was killed. Absent: it lives, or it ran to its end. */
  death?: "crash" | "timeout" | "poison";
  /** When the function is killed, by its own clock in milliseconds since 1970. Only runs of the consumer have it. */
  end?: number;
  /** Which container a run is in: what it has learnt outlives the run. */
  container?: number;
}

/** The one queue of everything that waits, ordered by time, and by the dice where times are equal. */
export interface Scheduler {
  /** Milliseconds since 1970: the true time, which no actor sees. */
  now(): number;
  steps(): number;
  /** Resolves after `milliseconds`. */
  sleep(milliseconds: number): Promise<void>;
  /** As sleep, but never resolves for an actor that has died by then. */
  turn(actor: Actor, milliseconds: number): Promise<void>;
  /** Resolves one wait after the other until `isOver` returns true or none is left. */
  run(isOver: () => boolean | Promise<boolean>): Promise<void>;
}

interface Waiter {
  readonly at: number;
  readonly tie: number;
  readonly actor: Actor | undefined;
  readonly resume: () => void;
}

const isBefore = (a: Waiter, b: Waiter) => a.at < b.at || (a.at === b.at && a.tie < b.tie);

/** A scheduler on a clock that jumps from one wake-up to the next. */
export function scheduler(dice: Dice, start: number): Scheduler {
  const waiters = heap(isBefore);
  let now = start;
  let steps = 0;

  const wait = (milliseconds: number, actor?: Actor) =>
    new Promise<void>((resume) =>
      waiters.push({ at: now + Math.max(0, milliseconds), tie: dice.next(), actor, resume }),
    );

  return {
    now: () => now,
    steps: () => steps,
    sleep: (milliseconds) => wait(milliseconds),
    turn: (actor, milliseconds) => wait(milliseconds, actor),
    async run(isOver) {
      for (let next = waiters.pop(); next; next = waiters.pop()) {
        now = next.at;
        if (next.actor && !next.actor.alive) continue;
        steps++;
        next.resume();
        // By the next macrotask every promise that could go on has done so: whoever still waits, waits in the heap.
        await new Promise(setImmediate);
        if (await isOver()) return;
      }
    },
  };
}
