import type { Tag } from "../protocol/tag.ts";

/** The stream of a topic (`topic:orders`) or of a user (`user:1001`): the tag that its subscribers hold. */
export type StreamName = Tag;

/** How much of a stream a client can ask for: messages of the last `seconds`, and at most `count` of them. */
export interface Retention {
  readonly seconds: number;
  readonly count: number;
}

/**
 * One row of a stream: the numbers `seq` to `next - 1`. A row never changes, except that a cancelled message is
 * emptied. Row 0 is the root: it has no messages, and its `next` is the number at which the stream starts.
 */
export interface StreamRow {
  readonly seq: number;
  /** The `seq` of the row after it. */
  readonly next: number;
  /** Each frame as JSON without `seq`, at most 10; an empty text for a number without data. */
  readonly messages: readonly string[];
  /** The run that wrote it. Absent from a root and from an empty row. */
  readonly run?: string;
  /** When it was written, in milliseconds since 1970 by the clock of its writer. */
  readonly at: number;
  /** When its messages are no longer given out, in milliseconds since 1970. */
  readonly until: number;
  /** When DynamoDB may delete it, in milliseconds since 1970 and in whole seconds: a day after `until` or more. */
  readonly expiresAt: number;
}
