import type { Clock, QuotaEntry } from "../../ports.ts";

type Use = Pick<QuotaEntry, "sendsPerSecond" | "isWaiting">;

/** What a container sends, from one beat to the next. */
export interface Usage {
  /** Counts a send that may start, or one that has to wait. */
  onAcquire(mayStart: boolean): void;
  /** Returns what was counted so far. */
  look(): Use;
  /** Returns the same, and counts from 0, unless it began to count just now. */
  take(): Use;
  reset(): void;
}

/** Milliseconds that are counted for at least: in fewer there is too little to see. */
const LEAST = 100;

export function usage(clock: Pick<Clock, "monotonic">): Usage {
  let from = clock.monotonic();
  let sends = 0;
  let waits = 0;
  let last: Use = { sendsPerSecond: 0, isWaiting: false };
  const reset = () => {
    from = clock.monotonic();
    sends = 0;
    waits = 0;
    last = { sendsPerSecond: 0, isWaiting: false };
  };
  const look = (): Use => {
    const passed = clock.monotonic() - from;
    const isWaiting = waits > 0;
    if (passed < LEAST)
      return { sendsPerSecond: last.sendsPerSecond, isWaiting: isWaiting || last.isWaiting };
    return { sendsPerSecond: Math.round((sends * 1_000) / passed), isWaiting };
  };
  return {
    onAcquire(mayStart) {
      if (mayStart) sends++;
      else waits++;
    },
    look,
    take() {
      const use = look();
      if (clock.monotonic() - from >= LEAST) {
        reset();
        last = use;
      }
      return use;
    },
    reset,
  };
}
