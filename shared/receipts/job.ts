import type { Message } from "../protocol/message.ts";
import type { HashRange } from "./hash-range.ts";

/** One bounded piece of a delivery: a message and the range of connections to serve. No range means all of them. */
export interface Job {
  readonly message: Message;
  readonly range?: HashRange;
  /** The number of the message in its stream. Absent if its target keeps no stream, or it has no number yet. */
  readonly seq?: number;
}
