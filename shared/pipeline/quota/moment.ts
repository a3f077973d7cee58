import type { Clock } from "../../ports.ts";

type Clocks = Pick<Clock, "now" | "monotonic">;

/** One moment by both clocks of a container. */
export interface Moment {
  readonly wall: number;
  readonly monotonic: number;
}

export const momentOf = (clock: Clocks): Moment => ({ wall: clock.now(), monotonic: clock.monotonic() });

/**
 * Returns the milliseconds since a moment by whichever clock ran further: the monotonic one may stand still while the
 * container is frozen, and the wall clock may be put back.
 */
export const since = (clock: Clocks, { wall, monotonic }: Moment): number =>
  Math.max(clock.now() - wall, clock.monotonic() - monotonic);
