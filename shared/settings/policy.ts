import type { Lane } from "../protocol/lane.ts";

/** How posts are paced to the request quota that API Gateway gives an account. */
export interface PacePolicy {
  /** Requests per second that the account may make (10,000; 2,500 in newer Regions), shared by all its APIs. */
  readonly quota: number;
  /** Which part of the quota posts may use, 0-1. */
  readonly share: number;
}

/** When a lane takes no more messages. */
export interface BacklogPolicy {
  /** Messages that may wait in a lane. A lane without a limit always takes more. */
  readonly limits: Readonly<Partial<Record<Lane, number>>>;
  /** How long a function trusts what it last saw. */
  readonly lookEvery: number;
}

/** How a run delivers. Times are milliseconds unless the name says otherwise. */
export interface DeliveryPolicy {
  /** Posts in flight per run. */
  readonly postsInFlight: number;
  /** Posts to one connection per run: the first and its retries. */
  readonly postAttempts: number;
  /** How long before a post counts as busy. */
  readonly postTimeout: number;
  /** Pause between two rounds of posts in a run: exponential with full jitter. */
  readonly pause: { readonly base: number; readonly cap: number };
  /** Seconds between two receives: exponential with full jitter, and at least one. */
  readonly backoff: { readonly base: number; readonly cap: number };
  /** What is left of a run when it starts no more posts. */
  readonly reserve: number;
  /** Rows per page of a tag's list. The first page is smaller, since most lists are short. */
  readonly pageSize: number;
  readonly firstPageSize: number;
  /** Connections that one run serves; a larger audience is split into jobs. */
  readonly share: number;
  /** Jobs that one run splits a message into at most; each may split again. */
  readonly splitLimit: number;
  /** Runs in which a connection may stay busy; then the message is dead with that connection pending. */
  readonly rounds: number;
  /** Runs that may die while they process a message; then it is dead. */
  readonly deaths: number;
  readonly pace: PacePolicy;
  /** Busy connections a run carries over to the next; past it the run stops and leaves the rest. */
  readonly pendingLimit: number;
}

/**
 * Jobs that an audience of so many is split into; none where one run can serve it. They are half a run's share each, so
 * that an estimate that was off does not split them again.
 */
export const jobsFor = (
  audience: number,
  { share, splitLimit }: Pick<DeliveryPolicy, "share" | "splitLimit">,
): number => (audience <= share ? 0 : Math.min(splitLimit, Math.ceil((2 * audience) / share)));

/** How long connections live, in seconds. */
export interface SocketPolicy {
  /** After this API Gateway cuts a connection (fixed: 2 h). */
  readonly maxAge: number;
  /** After this long without traffic API Gateway cuts a connection (fixed: 10 min). */
  readonly idle: number;
  /** How much a row outlives its connection, for slow clocks. */
  readonly rowMargin: number;
}
