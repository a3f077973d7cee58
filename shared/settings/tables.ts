export interface TableDescription {
  readonly partitionKey: string;
  readonly sortKey?: string;
  /** @default "S", text */
  readonly sortKeyType?: "S" | "N";
  /** Seconds since 1970 after which DynamoDB may delete the row. */
  readonly timeToLive: string;
}

/** The tables that the stack and the local runtime create. */
export const TABLES = {
  connections: { partitionKey: "connectionId", timeToLive: "ttl" },
  subscriptions: { partitionKey: "tag", sortKey: "key", timeToLive: "ttl" },
  receipts: { partitionKey: "message", sortKey: "part", timeToLive: "ttl" },
  quotas: { partitionKey: "quota", timeToLive: "ttl" },
  streams: { partitionKey: "stream", sortKey: "seq", sortKeyType: "N", timeToLive: "ttl" },
} as const satisfies Record<string, TableDescription>;
export type TableName = keyof typeof TABLES;
