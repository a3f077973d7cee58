import type { MessageId } from "../protocol/message.ts";
import type { ConnectionId, UserId } from "../protocol/tag.ts";

/** How a message can end. Each accepted message ends in exactly one of these. */
export const ENDINGS = ["dead", "cancelled", "expired", "partial", "delivered", "no-recipients"] as const;
export type Ending = (typeof ENDINGS)[number];
export type State = Ending | "delivering" | "retrying";

/** A live connection that a message is for. `connectedAt` (milliseconds) guards deletion: ids may come back. */
export interface Recipient {
  readonly connectionId: ConnectionId;
  readonly connectedAt: number;
}

/** `sent`: the gateway accepted the frame. `gone`: the connection did not exist. `failed`: refused for good. */
export interface Counts {
  readonly sent: number;
  readonly gone: number;
  readonly failed: number;
}

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

/** The maximum number of failed connections that a receipt names. Its counts include all of them. */
export const NAMED_FAILURES = 100;

/** Returns the ending of a delivery that is complete. */
export function endingOf({ sent, failed }: Counts): Ending {
  if (failed > 0) return "partial";
  return sent > 0 ? "delivered" : "no-recipients";
}

/** The receipt of a message, as `GET` of the message returns it. */
export interface Receipt {
  readonly id: MessageId;
  readonly producer: UserId;
  readonly state: State;
  readonly time?: string;
  readonly counts: Counts & { readonly pending: number };
  /** Receives so far; of the jobs, the most any of them took. */
  readonly attempts: number;
  readonly jobs?: number;
  readonly reason?: string;
  /** Connections that did not get it and will not: at most `NAMED_FAILURES`. */
  readonly failed?: readonly ConnectionId[];
  readonly updatedAt: string;
}
