import type { Lane } from "../protocol/lane.ts";
import { pascalCase } from "./pascal-case.ts";

/** The tag of a queue in SQS whose value is the lane that the queue holds. */
export const LANE_TAG = "tagwire:lane";

/** The output of the stack that says where the queue of a lane is. */
export const queueOutput = (lane: Lane): string => `${pascalCase(lane)}QueueUrl`;

/** The variable of a function that says where the queue of a lane is. */
export const QUEUE_URL = {
  high: "QUEUE_URL_HIGH",
  normal: "QUEUE_URL_NORMAL",
  low: "QUEUE_URL_LOW",
  "fanout-high": "QUEUE_URL_FANOUT_HIGH",
  "fanout-normal": "QUEUE_URL_FANOUT_NORMAL",
  "fanout-low": "QUEUE_URL_FANOUT_LOW",
} as const satisfies Readonly<Record<Lane, string>>;
export type QueueVariable = (typeof QUEUE_URL)[Lane];

/**
 * The variable of the one fanout lane of the release before. While a stack is updated, a function may run with the code
 * of one release and the variables of the other.
 */
export const FORMER_QUEUE_URL = "QUEUE_URL_FANOUT";
