import type { OutageKind } from "./outage.ts";

/** One thing that is down for a while, instead of all that may go wrong at once. */
export interface OutagePlan {
  readonly kind: OutageKind;
  readonly seconds: number;
  /** It begins at the first claim, and not half a minute after the start. */
  readonly atClaim: boolean;
}

/** What a simulation may be about. Absent: everything may go wrong. */
export interface Scenario {
  readonly messages?: number;
  readonly connections?: number;
  readonly topics?: number;
  readonly faults?: string;
  readonly outage?: OutagePlan;
  /** Nothing but clients that keep their place in streams, and who posts to those. */
  readonly streams?: "only";
  /** The part of the messages that kill the run that processes them, 0-1. At least one if it is above 0. */
  readonly poison?: number;
  /** Clients that do not read from the start to the end. */
  readonly slow?: number;
}
