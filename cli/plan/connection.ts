import { FRAME_TOPICS } from "../../shared/protocol/limits.ts";
import type { Load } from "./load.ts";

/** What one connection leads to from its connect to its disconnect. */
export interface Visit {
  /** Runs of the socket function: the connect, each subscribe, the disconnect. */
  readonly runs: number;
  /** Requests that count against the account's quota: the connect and its frames. */
  readonly requests: number;
  /** WebSocket messages, in and out. */
  readonly metered: number;
  readonly writeUnits: number;
  readonly readUnits: number;
}

/**
 * Its row and the tags of everyone and of its user are written and deleted; each topic is written into its row
 * and into the topic's list, and deleted from there. A subscribe reads the row and writes it twice: the change, and the
 * look at its end.
 */
export function visitOf({ topics }: Pick<Load, "topics">): Visit {
  const frames = Math.ceil(topics / FRAME_TOPICS);
  return {
    runs: 2 + frames,
    requests: 1 + frames,
    metered: 2 * frames,
    writeUnits: 1 + 2 + 2 * frames + topics + 1 + 2 + topics,
    readUnits: frames,
  };
}
