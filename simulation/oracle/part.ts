import type { JobEnding } from "../../shared/receipts/receipt.ts";

/** A part of the connections, by the first 8 hex digits of their hash. */
export interface Range {
  readonly from: string;
  readonly to: string;
}

/** What the table was told of one part of a message. Times are milliseconds since 1970. */
export interface PartState {
  /** Until when a run holds it. 0: none does. */
  leaseUntil: number;
  /** Runs that died in a row while they held it, as the table counts them. */
  deaths: number;
  ending?: JobEnding;
  reason?: string;
  pending: number;
  split?: readonly Range[];
  /** Whether the jobs of its split are all in their lane. */
  queued: boolean;
}
