import type { Lane } from "../protocol/lane.ts";
import type { Job } from "../receipts/job.ts";

export interface Entry {
  readonly job: Job;
  /** Seconds before any consumer sees it, 0-900. */
  readonly delaySeconds?: number;
}

export interface MessageQueue {
  /**
   * Sends jobs to a lane. Returns one boolean per entry, in input order: true if the queue stored it. A rejected entry
   * MUST NOT affect the others. Makes one call per ten entries, or per fewer if ten exceed the size limit of a call.
   */
  send(lane: Lane, entries: readonly Entry[]): Promise<readonly boolean[]>;
  /**
   * Hides a received entry for `seconds` (0-43,200) from now. An expired receipt handle is not an error: the lane's own
   * visibility timeout stays in force.
   */
  changeVisibility(lane: Lane, receiptHandle: string, seconds: number): Promise<void>;
  /** Sends a body that is not to be tried again to the dead-letter queue, with its reason. */
  deadLetter(lane: Lane, body: string, reason: string): Promise<void>;
  /** Returns the approximate number of entries in a lane. It includes hidden and delayed ones: in an outage all are hidden. */
  backlog(lane: Lane): Promise<number>;
}
