/** What a producer may ask for. */
export const PRIORITIES = ["high", "normal", "low"] as const;
export type Priority = (typeof PRIORITIES)[number];

/** One queue per priority, and one for the jobs that large deliveries are split into. */
export const LANES = [...PRIORITIES, "fanout"] as const;
export type Lane = (typeof LANES)[number];

/** The part of the quota that a run of the lane gets, compared with others, while all of them wait for it. */
const WEIGHT: Readonly<Record<Lane, number>> = { high: 16, normal: 4, low: 1, fanout: 4 };

/** Returns the weight of a lane in the shares of the quota. */
export const laneWeight = (lane: Lane): number => WEIGHT[lane];
