import { LANES, type Lane } from "../../../shared/protocol/lane.ts";

/** One value per lane. */
export type ByLane<T> = Readonly<Record<Lane, T>>;

export const byLane = <T>(make: (lane: Lane) => T): ByLane<T> =>
  Object.fromEntries(LANES.map((lane) => [lane, make(lane)])) as Record<Lane, T>;
