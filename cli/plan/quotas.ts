import { EVERYONE } from "../../shared/protocol/tag.ts";
import type { Settings } from "../../shared/settings/schema.ts";

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
  /** Write units per second of one table. Raisable. */
  readonly tableWrites: number;
  /**
   * Write units per second that a table takes at once (its warm throughput): 4,000 of a new one, and twice the most that
   * it has taken before.
   */
  readonly warmWrites: number;
}

/**
 * API Gateway quotas (10,000 requests a second, 2,500 in newer Regions; 500 connects), Lambda quotas (1,000 runs),
 * SQS quotas (about 120,000), DynamoDB partitions (1,000 and 3,000), read on 2026-11-23; DynamoDB tables on demand
 * (40,000; a new one 4,000: "Understanding DynamoDB warm throughput in different scenarios"), read on 2026-11-26.
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
};

/** What can be set of the stack, and is no setting of the functions. */
export interface StackOptions {
  /** Requests per second that the HTTP stage takes: `http.throttle`. */
  readonly httpRate: number;
  /** Connects and frames per second that the WebSocket stage takes: `socket.throttle`. */
  readonly socketRate: number;
  /** Partition keys over which each list is spread that all connections join. */
  readonly listKeys: number;
  /** Whether the consumer's concurrency is taken out of the account's: `reserveConcurrency`. */
  readonly reserves: boolean;
}

export const STACK: StackOptions = { httpRate: 1_000, socketRate: 1_000, listKeys: 1, reserves: true };

/** The partition keys over which the list of all connections is spread. */
export const everyoneKeys = ({ spreadTags }: Pick<Settings, "spreadTags">): number =>
  2 ** (spreadTags.find(({ tag }) => tag === EVERYONE)?.hashBits ?? 0);
