import { heap } from "../world/heap.ts";

/** When virtual time begins, in milliseconds since 1970. */
export const EPOCH = Date.parse("2026-01-01T00:00:00Z");

/** Callbacks by virtual time, in milliseconds. */
export interface Events {
  now(): number;
  at(time: number, callback: () => void): void;
  pause(milliseconds: number): Promise<void>;
  /** Runs all callbacks up to `end`. Promises go on at least once in a millisecond. */
  run(end: number): Promise<void>;
}

interface Event {
  readonly time: number;
  readonly order: number;
  readonly callback: () => void;
}

const isBefore = (a: Event, b: Event) => a.time < b.time || (a.time === b.time && a.order < b.order);

export function events(): Events {
  const waiting = heap(isBefore);
  let now = 0;
  let order = 0;
  const at = (time: number, callback: () => void): void =>
    waiting.push({ time: Math.max(now, time), order: order++, callback });
  return {
    now: () => now,
    at,
    pause: (milliseconds) => new Promise((resolve) => at(now + milliseconds, resolve)),
    async run(end) {
      let settledAt = Number.NEGATIVE_INFINITY;
      for (;;) {
        const next = waiting.first();
        const time = Math.min(next?.time ?? end, end);
        if (time - settledAt >= 1 || !next || next.time > end) {
          settledAt = time;
          await new Promise(setImmediate);
          // What went on meanwhile may come earlier.
          if (waiting.first() !== next) continue;
        }
        if (!next || next.time > end) break;
        waiting.pop();
        now = next.time;
        next.callback();
      }
      now = end;
    },
  };
}
