/** What the real services fix and a test may want smaller. Milliseconds unless the name says otherwise. */
export interface Limits {
  /** How long a stop waits for the lanes to empty. */
  readonly grace: number;
  /** Longest wait for a function behind the HTTP API (HTTP API quotas: 30 s). */
  readonly httpTimeout: number;
  /** Longest wait for a function behind the WebSocket API (WebSocket quotas: 29 s). */
  readonly socketTimeout: number;
  /** Largest body of an HTTP request, in bytes (HTTP API quotas: 10 MB). */
  readonly bodyBytes: number;
  /** Unsent bytes of a slow client before a post answers 429. The real figure is not published. */
  readonly bufferBytes: number;
  /** How long a post to a socket takes, so that posts overlap as they do over a network. */
  readonly postDelay: number;
  /** How often expired rows are deleted. DynamoDB takes up to days (UpdateTimeToLive), so reads never count on it. */
  readonly expiryEvery: number;
  /** Consumer runs at a time, over all lanes. Absent: the sum of the lanes. */
  readonly reservedConcurrency?: number;
}

export const LIMITS: Limits = {
  grace: 10_000,
  httpTimeout: 30_000,
  socketTimeout: 29_000,
  bodyBytes: 10_485_760,
  bufferBytes: 1_048_576,
  postDelay: 0,
  expiryEvery: 60_000,
};
