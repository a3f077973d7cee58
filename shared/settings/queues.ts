/** The tag of a queue in SQS whose value is the lane that the queue holds. */
export const LANE_TAG = "tagwire:lane";
