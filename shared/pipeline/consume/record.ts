import type { Lane } from "../../protocol/lane.ts";

/** One received SQS message. */
export interface Received {
  readonly messageId: string;
  readonly lane: Lane;
  readonly body: string;
  /** The number of receives so far, including this one. */
  readonly receive: number;
  readonly receiptHandle: string;
}

/**
 * What the run does with a record. `done`: SQS deletes it. `again`: SQS keeps it, hidden for `seconds`. Without
 * `seconds` its visibility timeout is not changed.
 */
export type RecordResult =
  | { readonly kind: "done" }
  | { readonly kind: "again"; readonly seconds?: number }
  /** Earlier runs died while they processed it, so the rest of the batch is processed first. */
  | { readonly kind: "suspect"; readonly deaths: number };

export const DONE: RecordResult = { kind: "done" };
