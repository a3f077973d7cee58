import type { Runtime } from "./runtime.ts";

export interface Backoff {
  /** Milliseconds until the next try. Each one makes the next ones longer. */
  next(): number;
  reset(): void;
}

/** Milliseconds of the longest first wait, and of the longest of all. */
const BASE = 1_000;
const CAP = 20_000;

/**
 * Sockets in a row that did not open, after which a client asks why that was connected before. Asking costs the account a
 * request as a connect does, which those need that were cut at the same time.
 */
export const ASKS = 4;

/** Exponential back-off with full jitter from the first wait on: all clients of a router may be cut at once. */
export function backoff({ random }: Pick<Runtime, "random">): Backoff {
  let failures = 0;
  return {
    next: () => random() * Math.min(CAP, BASE * 2 ** failures++),
    reset() {
      failures = 0;
    },
  };
}
