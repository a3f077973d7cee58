import type { Clock } from "../../shared/ports.ts";

/** A clock that stands still until it is told to go on; a pause takes no real time. */
export function memoryClock(
  start = Date.parse("2026-01-01T00:00:00Z"),
): Clock & { advance(milliseconds: number): void } {
  let elapsed = 0;
  const advance = (milliseconds: number) => {
    elapsed += milliseconds;
  };
  return {
    now: () => start + elapsed,
    monotonic: () => elapsed,
    pause: async (milliseconds) => advance(milliseconds),
    advance,
  };
}
