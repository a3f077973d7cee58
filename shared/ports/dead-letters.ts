import type { Lane } from "../protocol/lane.ts";
import type { UserId } from "../protocol/tag.ts";

/** A dead letter that was received. No other receive returns it until its visibility timeout is over. */
export interface DeadLetter {
  /** The id of its SQS message, the same on every receive. */
  readonly entryId: string;
  readonly receiptHandle: string;
  readonly body: string;
  /** Absent if the queue moved it here by itself. */
  readonly reason?: string;
  readonly lane?: Lane;
  /** When it was sent to its first queue, in milliseconds since 1970. */
  readonly sentAt: number;
}

/** What names a dead letter that was received. */
export type HeldDeadLetter = Pick<DeadLetter, "entryId" | "receiptHandle">;

export interface DeadLetters {
  /**
   * Receives at most `limit` (1-10) dead letters and hides them for `visibilitySeconds`. Empty if none is visible. May
   * return one twice.
   */
  receive(limit: number, visibilitySeconds: number): Promise<readonly DeadLetter[]>;
  /** Makes them visible again at once. An expired receipt handle is not an error. */
  release(deadLetters: readonly HeldDeadLetter[]): Promise<void>;
  /** Sends bodies to a lane, unchanged. Returns one boolean per entry, in input order: true if the lane stored it. */
  forward(
    lane: Lane,
    entries: readonly { readonly body: string; readonly producer: UserId }[],
  ): Promise<readonly boolean[]>;
  /** Deletes them. Returns one boolean per dead letter, in input order: true if it was deleted. */
  remove(deadLetters: readonly HeldDeadLetter[]): Promise<readonly boolean[]>;
  /** Returns the approximate number of visible ones. */
  size(): Promise<number>;
}
