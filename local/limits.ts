import { BODY_BYTES, CONNECTION_SECONDS, IDLE_SECONDS, MAX_RECEIVES } from "../shared/protocol/limits.ts";

/** What the real services fix and a test may want smaller. Milliseconds unless the name says otherwise. */
export interface Limits {
  /** How long a stop waits for the lanes to empty. */
  readonly grace: number;
  /** Longest wait for a function behind the HTTP API (HTTP API quotas: 30 s). */
  readonly httpTimeout: number;
  /** Longest wait for a function behind the WebSocket API (WebSocket quotas: 29 s). */
  readonly socketTimeout: number;
  /** After this a WebSocket is closed (WebSocket quotas: 2 h). */
  readonly connectionAge: number;
  /** After this without traffic a WebSocket is closed (WebSocket quotas: 10 min). */
  readonly idleTimeout: number;
  /** Largest body of an HTTP request, in bytes (HTTP API quotas: 10 MB). */
  readonly bodyBytes: number;
  /** Requests per second: HTTP, WebSocket and callback calls together (API Gateway account quotas: 10,000). */
  readonly requestRate: number;
  /** Requests at once, after a pause (API Gateway account quotas: 5,000). */
  readonly requestBurst: number;
  /**
   * Unsent bytes of one client before a post to it returns 429, and before its frames are read no further. The real
   * figure is not published.
   */
  readonly bufferBytes: number;
  /** How long a client that sends frames may leave its buffer full. Then the socket is closed with 1008. */
  readonly stalledTimeout: number;
  /** Frames of one socket that run at a time. Above it the socket is read no further. */
  readonly framesInFlight: number;
  /** How long a send to a socket takes, so that sends overlap as they do over a network. */
  readonly sendDelay: number;
  /** How often expired rows are deleted. DynamoDB takes up to days (UpdateTimeToLive), so reads never count on it. */
  readonly expiryEvery: number;
  /** Receives after which a lane gives a message to the dead-letter queue by itself. */
  readonly maxReceives: number;
  /** Consumer runs at a time, over all lanes. Absent: the sum of the lanes. */
  readonly reservedConcurrency?: number;
}

export const LIMITS: Limits = {
  grace: 10_000,
  httpTimeout: 30_000,
  socketTimeout: 29_000,
  connectionAge: CONNECTION_SECONDS * 1_000,
  idleTimeout: IDLE_SECONDS * 1_000,
  bodyBytes: 10_485_760,
  requestRate: 10_000,
  requestBurst: 5_000,
  bufferBytes: 1_048_576,
  stalledTimeout: 10_000,
  framesInFlight: 64,
  sendDelay: 0,
  expiryEvery: 60_000,
  maxReceives: MAX_RECEIVES,
};

/** A router that is its own gateway has no quota of requests, and reads no more of a body than its functions take. */
export const ENGINE_LIMITS: Limits = {
  ...LIMITS,
  bodyBytes: BODY_BYTES,
  requestRate: Number.MAX_SAFE_INTEGER,
  requestBurst: Number.MAX_SAFE_INTEGER,
};
