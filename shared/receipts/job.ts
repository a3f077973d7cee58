import type { Message } from "../protocol/message.ts";
import type { HashRange } from "./hash-range.ts";

/** One bounded piece of a delivery: a message and the range of connections to serve. No range means all of them. */
export interface Job {
  readonly message: Message;
  readonly range?: HashRange;
}
