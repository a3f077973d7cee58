import type { Clock } from "../../ports.ts";

/** A clock that stands still until it is told to go on; a pause takes no real time. */
export function memoryClock(
  start = Date.parse("2026-01-01T00:00:00Z"),
): Clock & { advance(milliseconds: number): void } {
  let now = start;
  const advance = (milliseconds: number) => {
    now += milliseconds;
  };
  return {
    now: () => now,
    pause: async (milliseconds) => advance(milliseconds),
    advance,
  };
}
