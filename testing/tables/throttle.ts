import type { Layer } from "../front.ts";
import { throttled } from "./throttled.ts";

export interface Throttle {
  readonly layer: Layer;
  /** Refuses every call for `milliseconds` from now. */
  start(milliseconds: number): void;
  /** How many calls were refused. */
  readonly refused: () => number;
}

/** Tables that refuse all calls while a throttle lasts. `now` is in milliseconds. */
export function throttle(now: () => number): Throttle {
  let until = Number.NEGATIVE_INFINITY;
  let refused = 0;
  return {
    layer: async (request, next) => {
      if (now() >= until) return next(request);
      refused++;
      return throttled();
    },
    start: (milliseconds) => {
      until = now() + milliseconds;
    },
    refused: () => refused,
  };
}
