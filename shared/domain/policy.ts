export const POST_PATHS = ["lean", "sdk"] as const;
export type PostPath = (typeof POST_PATHS)[number];

/** How a run delivers. Times are milliseconds unless the name says otherwise. */
export interface DeliveryPolicy {
  /** Posts in flight per run. */
  readonly postsInFlight: number;
  /** Posts to one connection per run: the first and its retries. */
  readonly postAttempts: number;
  /** How long before a post counts as busy. */
  readonly postTimeout: number;
  /** What carries a post: our own signed requests, or the client of the AWS SDK, ten times dearer. */
  readonly postPath: PostPath;
  /** Pause between two rounds of posts in a run: exponential with full jitter. */
  readonly pause: { readonly base: number; readonly cap: number };
  /** Seconds between two receives: exponential with full jitter, and at least one. */
  readonly backoff: { readonly base: number; readonly cap: number };
  /** What is left of a run when it starts no more posts. */
  readonly reserve: number;
  /** Rows per page of a tag's list. The first page is smaller, since most lists are short. */
  readonly pageSize: number;
  readonly firstPageSize: number;
  /** Busy connections a run carries over to the next; past it the run stops and leaves the rest. */
  readonly pendingLimit: number;
}

/** How long connections live, in seconds. */
export interface SocketPolicy {
  /** After this API Gateway cuts a connection (fixed: 2 h). */
  readonly maxAge: number;
  /** After this long without traffic API Gateway cuts a connection (fixed: 10 min). */
  readonly idle: number;
  /** How much a row outlives its connection, for slow clocks. */
  readonly rowMargin: number;
}
