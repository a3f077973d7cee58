import { setTimeout as pause } from "node:timers/promises";
import { v7 } from "uuid";

/** What the publisher takes from its surroundings. Tests pass their own. */
export interface Runtime {
  readonly fetch: typeof fetch;
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds from an arbitrary start. MUST NOT go back when the wall clock does. */
  monotonic(): number;
  /** Resolves after `milliseconds`. Rejects if the signal aborts first. */
  pause(milliseconds: number, signal?: AbortSignal): Promise<unknown>;
  /** In [0, 1). */
  random(): number;
  /** Returns an id for a message. */
  newId(): string;
}

export const SYSTEM: Runtime = {
  fetch: (input, init) => fetch(input, init),
  now: () => Date.now(),
  monotonic: () => performance.now(),
  pause: (milliseconds, signal) => pause(milliseconds, undefined, signal ? { signal } : {}),
  random: () => Math.random(),
  newId: () => v7(),
};
