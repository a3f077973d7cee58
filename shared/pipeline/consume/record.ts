import type { Lane } from "../../protocol/lane.ts";

/** One message as SQS hands it over. */
export interface Received {
  readonly messageId: string;
  readonly lane: Lane;
  readonly body: string;
  /** How often it has been received, this time included. */
  readonly receive: number;
  readonly receiptHandle: string;
}

/** What may be done with a record. done: delete it. again: leave it to SQS, hidden for so many seconds. */
export type Verdict =
  | { readonly kind: "done" }
  | { readonly kind: "again"; readonly seconds?: number }
  /** Runs died while they held it: its neighbours come first. */
  | { readonly kind: "suspect"; readonly deaths: number };

export const DONE: Verdict = { kind: "done" };
