import { setTimeout as pause } from "node:timers/promises";
import type { Clock } from "../../shared/ports.ts";

/** The clocks of this machine. */
export const SYSTEM_CLOCK: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  pause: async (milliseconds) => {
    await pause(milliseconds);
  },
};
