/** What a producer may ask for. */
export const PRIORITIES = ["high", "normal", "low"] as const;
export type Priority = (typeof PRIORITIES)[number];

/** One queue per priority, and one for the jobs that large deliveries are split into. */
export const LANES = [...PRIORITIES, "fanout"] as const;
export type Lane = (typeof LANES)[number];
