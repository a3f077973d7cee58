import { ENDINGS, type Ending } from "../protocol/ending.ts";
import type { Receipt } from "../protocol/receipt.ts";
import type { ConnectionId } from "../protocol/tag.ts";

export { ENDINGS, type Ending, type State } from "../protocol/ending.ts";
export { NAMED_FAILURES } from "../protocol/limits.ts";
export type { Receipt } from "../protocol/receipt.ts";

/** How a job ends: as messages do, or `replaced`, if a later message has its id. No receipt shows such a job. */
export const JOB_ENDINGS = [...ENDINGS, "replaced"] as const;
export type JobEnding = (typeof JOB_ENDINGS)[number];

/** A live connection that a message is for. `connectedAt` (milliseconds) guards deletion: ids may come back. */
export interface Recipient {
  readonly connectionId: ConnectionId;
  readonly connectedAt: number;
}

/** `sent`: the gateway accepted the frame. `gone`: the connection did not exist. `failed`: refused for good. */
export type Counts = Omit<Receipt["counts"], "pending">;

/** The progress of a delivery, which one run passes to the next. */
export interface Progress {
  readonly counts: Counts;
  /** Connections that the next run has to send to. */
  readonly pending: readonly Recipient[];
  /** The sort key at which routing continues. Absent if the audience was read to its end. */
  readonly from?: string;
  /** Connections that failed for good, by name: the first `NAMED_FAILURES` of them. */
  readonly failed: readonly ConnectionId[];
  /** Runs in which the pending connections stayed busy while the gateway was up. */
  readonly rounds: number;
}

export const NO_PROGRESS: Progress = {
  counts: { sent: 0, gone: 0, failed: 0 },
  pending: [],
  failed: [],
  rounds: 0,
};

/** Returns the ending of a delivery that is complete. */
export function endingOf({ sent, failed }: Counts): Ending {
  if (failed > 0) return "partial";
  return sent > 0 ? "delivered" : "no-recipients";
}
