/** What an account allows. Those without "raisable" are fixed. */
export interface Quotas {
  /** API Gateway requests per second, over HTTP, WebSocket and callback calls together. Raisable. */
  readonly requests: number;
  /** New WebSocket connections per second. Raisable. */
  readonly connects: number;
  /** Lambda runs at a time. Raisable. */
  readonly runs: number;
  /** Messages in flight in one SQS queue. */
  readonly inFlight: number;
  /** Write and read units per second of one DynamoDB partition, before it splits by heat. */
  readonly partitionWrites: number;
  readonly partitionReads: number;
  /** Write units per second that the account allows one table. Raisable. */
  readonly tableWrites: number;
  /** Write units per second that a table takes at once, whatever it took before: 4,000, or its warm throughput. */
  readonly warmWrites: number;
  /** Connects and frames per second that the socket stage takes. */
  readonly socketStage: number;
}

/** What the stages of the stack take unless told otherwise, in requests per second. */
export const STAGE = { http: 1_000, socket: 1_000 };

/**
 * API Gateway quotas (10,000 requests a second, 2,500 in newer Regions; 500 connects), Lambda quotas (1,000 runs),
 * SQS quotas (about 120,000), DynamoDB partitions (1,000 and 3,000) and tables (40,000, and 4,000 when new), read on 2026-11-23.
 */
export const QUOTAS: Quotas = {
  requests: 10_000,
  connects: 500,
  runs: 1_000,
  inFlight: 120_000,
  partitionWrites: 1_000,
  partitionReads: 3_000,
  tableWrites: 40_000,
  warmWrites: 4_000,
  socketStage: STAGE.socket,
};
