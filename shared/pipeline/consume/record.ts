import type { Lane } from "../../protocol/lane.ts";
import type { Job } from "../../receipts/job.ts";
import { bodyOf, type ReadBody, readBody } from "../../receipts/job-body.ts";

/** One received message of a lane. */
export interface Received {
  readonly messageId: string;
  readonly lane: Lane;
  /** The queue body, or the job in it where the queue is in the process and has checked it before. */
  readonly body: string | Job;
  /** The number of receives so far, including this one. */
  readonly receive: number;
  /**
   * The number of earlier receives by which its back-off grows, where the queue knows of some that they ended with the
   * process. @default all but this one
   */
  readonly retries?: number;
  readonly receiptHandle: string;
  /** When it was put into the lane, in milliseconds since 1970. Absent if the queue does not tell. */
  readonly sentAt?: number;
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

/** Returns what the body of a record says. */
export const readRecord = ({ body }: Pick<Received, "body">): ReadBody =>
  typeof body === "string" ? readBody(body) : { kind: "job", job: body };

/** Returns the queue body of a record as text. */
export const bodyTextOf = ({ body }: Pick<Received, "body">): string =>
  typeof body === "string" ? body : bodyOf(body);
