/** What a producer may ask for. */
export const PRIORITIES = ["high", "normal", "low"] as const;
export type Priority = (typeof PRIORITIES)[number];

/** The lanes of the jobs that large deliveries are split into: one per priority, so that a job keeps that of its message. */
export const FANOUT_LANES = ["fanout-high", "fanout-normal", "fanout-low"] as const;
export type FanoutLane = (typeof FANOUT_LANES)[number];

/** One queue per priority for messages, and one per priority for jobs. */
export const LANES = [...PRIORITIES, ...FANOUT_LANES] as const;
export type Lane = (typeof LANES)[number];

/** Returns the lane of the jobs of a message. */
export const fanoutLane = (priority: Priority): FanoutLane => `fanout-${priority}`;

/** The priority of what a lane holds. */
const PRIORITY: Readonly<Record<Lane, Priority>> = {
  high: "high",
  normal: "normal",
  low: "low",
  "fanout-high": "high",
  "fanout-normal": "normal",
  "fanout-low": "low",
};

const WEIGHTS: Readonly<Record<Priority, number>> = { high: 16, normal: 4, low: 1 };

/** Returns the weight by which a lane shares the rate of sends with other lanes that wait for turns. */
export const laneWeight = (lane: Lane): number => WEIGHTS[PRIORITY[lane]];

/** Whether a lane holds jobs. */
export const isFanoutLane = (lane: Lane): lane is FanoutLane => FANOUT_LANES.some((name) => name === lane);

/** The one fanout lane of releases before there were three. Its queue is that of `fanout-normal` now. */
export const FORMER_FANOUT = "fanout";

/** Returns the lane of a name that this release or the one before wrote; undefined if it is none. */
export const laneNamed = (name: string | undefined): Lane | undefined =>
  name === FORMER_FANOUT ? "fanout-normal" : LANES.find((lane) => lane === name);
