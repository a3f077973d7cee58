import type { Dice } from "./dice.ts";
import type { Faults } from "./faults.ts";
import type { Actor, Scheduler } from "./scheduler.ts";
import type { Trace } from "./trace.ts";

export interface Network {
  /** A function starts: its own clock, and a life of at most `timeout` milliseconds. */
  spawn(name: string, timeout: number, onDeath: () => void): Actor;
  /** The actor's code has run to its end. */
  retire(actor: Actor): void;
  /**
   * One call of an actor: there, served, and back, with everybody else in between. An actor may die before or
   * after, and then the call never comes back; what was sent is served all the same, seconds later if it is late.
   */
  request<T>(actor: Actor, what: string, serve: () => T | Promise<T>, isLate?: boolean): Promise<T>;
  pause(actor: Actor, milliseconds: number): Promise<void>;
  /** Something that the actor does kills it. */
  kill(actor: Actor): void;
  /** How many actors their timeout has killed. */
  readonly timeouts: number;
}

export interface NetworkWorld {
  readonly scheduler: Scheduler;
  readonly dice: Dice;
  readonly faults: Faults;
  readonly trace: Trace;
}

/** Clocks of two runs differ by less than twice this, in milliseconds. A lease's margin is made for it. */
export const SKEW = 2_400;

/** How long after a run's death something it sent may still be served, in milliseconds. */
export const LATE_ARRIVAL = 5_000;

const NEVER = new Promise<never>(() => {});

/** Calls that take their time, and functions that die. */
export function simulatedNetwork({ scheduler, dice, faults, trace }: NetworkWorld): Network {
  const long = () => dice.whole(400, LATE_ARRIVAL - 500);
  const latency = () => {
    const roll = dice.next();
    if (roll < 0.8) return dice.whole(1, 20);
    return roll < 0.99 ? dice.whole(20, 400) : long();
  };
  const kill = (actor: Actor, onDeath: () => void, why: NonNullable<Actor["death"]>) => {
    if (!actor.alive) return;
    actor.alive = false;
    actor.death = why;
    deaths.delete(actor);
    trace.note(actor.name, "dies", () => `of ${why}`);
    onDeath();
  };
  const deaths = new Map<Actor, () => void>();
  let timeouts = 0;
  const dies = (actor: Actor): boolean => {
    const onDeath = deaths.get(actor);
    if (onDeath && actor.alive && faults.strikes("run-crash")) kill(actor, onDeath, "crash");
    return !actor.alive;
  };

  return {
    spawn(name, timeout, onDeath) {
      const skew = faults.strikes("run-skew") ? dice.whole(-SKEW, SKEW) : 0;
      const actor: Actor = { name, skew, alive: true };
      deaths.set(actor, onDeath);
      void scheduler.turn(actor, timeout).then(() => {
        if (!deaths.has(actor)) return;
        timeouts++;
        kill(actor, onDeath, "timeout");
      });
      return actor;
    },
    retire: (actor) => {
      deaths.delete(actor);
      actor.alive = false;
    },
    async request(actor, what, serve, isLate = false) {
      if (dies(actor)) return NEVER;
      await scheduler.sleep(isLate ? long() : latency());
      const answer = await answerOf(serve);
      trace.note(actor.name, what, () =>
        "fault" in answer ? `fails: ${answer.fault}` : brief(answer.value),
      );
      await scheduler.turn(actor, latency() + (faults.strikes("run-slow") ? dice.whole(1_000, 40_000) : 0));
      if (dies(actor)) return NEVER;
      if ("fault" in answer) throw answer.fault;
      return answer.value;
    },
    pause: (actor, milliseconds) => scheduler.turn(actor, milliseconds),
    kill(actor) {
      const onDeath = deaths.get(actor);
      if (onDeath) kill(actor, onDeath, "poison");
    },
    get timeouts() {
      return timeouts;
    },
  };
}

async function answerOf<T>(serve: () => T | Promise<T>): Promise<{ value: T } | { fault: unknown }> {
  try {
    return { value: await serve() };
  } catch (fault) {
    return { fault };
  }
}

function brief(value: unknown): string {
  const text = value === undefined ? "" : JSON.stringify(value instanceof Set ? [...value] : value);
  return text.length > 160 ? `${text.slice(0, 160)}…` : text;
}
