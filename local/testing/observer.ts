import type { SQSBatchResponse } from "aws-lambda";
import type { Lane } from "../../shared/protocol/lane.ts";

/** What happens inside the router that a test or a gauge may want to know. Never changes what happens. */
export type RouterEvent =
  | { readonly kind: "run-started"; readonly run: string; readonly lane: Lane; readonly messages: number }
  | RunEnded
  | { readonly kind: "sent"; readonly connectionId: string; readonly status: number }
  | { readonly kind: "connected"; readonly connectionId: string }
  // After $disconnect has run.
  | { readonly kind: "disconnected"; readonly connectionId: string; readonly code: number };

export interface RunEnded {
  readonly kind: "run-ended";
  readonly run: string;
  readonly lane: Lane;
  readonly outcome: "returned" | "crashed" | "timed-out";
  /** What the function answered, where it did. */
  readonly response?: SQSBatchResponse;
  /** Ids of the messages that stay in the queue; the others are deleted next. */
  readonly failed: readonly string[];
}

export interface Observer {
  record(event: RouterEvent): void;
  /** A post to @connections has come in; `record` of `posted` is its end. */
  sendStarted(): void;
  /** A message went in or out of a socket. */
  metered(connectionId: string, bytes: number): void;
}
