import { TagwireError } from "../protocol/errors.ts";
import { LANES, type Lane } from "../protocol/lane.ts";
import type { BacklogPolicy, DeliveryPolicy, SocketPolicy } from "./policy.ts";

/*
 * The one description of queues, tables and functions. The CDK stack and the local runtime both read it.
 */

/** Signs the tokens of a local router. Everybody knows it, so a deployed router never trusts it. */
export const DEV_SECRET = "tagwire-development-secret-do-not-use-in-an-account";

export interface LaneSettings {
  /** Consumer runs at a time: the event source's MaximumConcurrency, 2-1000 (Lambda). */
  readonly concurrency: number;
  /** Messages a run receives at most, 1-10. */
  readonly batchSize: number;
}

export interface QueueSettings {
  readonly retentionDays: number;
  readonly deadLetterRetentionDays: number;
  /** Visibility timeout in multiples of the consumer's timeout. AWS advises 6. */
  readonly visibilityFactor: number;
  /** MessageGroupId is the producer, so a noisy one does not delay the rest. Costs a little per request. */
  readonly fair: boolean;
}

export const FUNCTIONS = ["ingest", "receipts", "consume", "socket"] as const;
export type FunctionName = (typeof FUNCTIONS)[number];

export interface FunctionSettings {
  readonly timeoutSeconds: number;
  readonly memoryMegabytes: number;
}

export interface Settings {
  readonly lanes: Readonly<Record<Lane, LaneSettings>>;
  readonly queues: QueueSettings;
  readonly backlog: BacklogPolicy;
  readonly delivery: DeliveryPolicy;
  readonly sockets: SocketPolicy;
  /** Days a receipt can be read. Longer than a dead letter is kept, so that a redrive finds where to resume. */
  readonly receiptDays: number;
  readonly functions: Readonly<Record<FunctionName, FunctionSettings>>;
}

export const DEFAULTS: Settings = {
  lanes: {
    high: { concurrency: 8, batchSize: 10 },
    normal: { concurrency: 6, batchSize: 10 },
    low: { concurrency: 2, batchSize: 10 },
    fanout: { concurrency: 4, batchSize: 1 },
  },
  queues: {
    retentionDays: 4,
    deadLetterRetentionDays: 14,
    visibilityFactor: 6,
    fair: true,
  },
  backlog: { limits: { normal: 100_000, low: 20_000, fanout: 100_000 }, lookEvery: 5_000 },
  delivery: {
    postsInFlight: 50,
    postAttempts: 3,
    postTimeout: 3_000,
    pause: { base: 100, cap: 1_000 },
    backoff: { base: 2, cap: 300 },
    reserve: 10_000,
    pageSize: 1_000,
    firstPageSize: 100,
    share: 5_000,
    splitLimit: 100,
    rounds: 5,
    deaths: 5,
    pace: { quota: 10_000, share: 0.8 },
    pendingLimit: 2_000,
  },
  sockets: { maxAge: 7_200, idle: 600, rowMargin: 600 },
  receiptDays: 15,
  functions: {
    ingest: { timeoutSeconds: 10, memoryMegabytes: 512 },
    receipts: { timeoutSeconds: 10, memoryMegabytes: 256 },
    consume: { timeoutSeconds: 60, memoryMegabytes: 1_024 },
    socket: { timeoutSeconds: 10, memoryMegabytes: 256 },
  },
};

/** Settings as a caller changes them: any part, at any depth. */
export type Overrides<T = Settings> = {
  readonly [K in keyof T]?: T[K] extends object ? Overrides<T[K]> : T[K];
};

/** The defaults with the caller's changes. Throws SETTINGS_INVALID, naming every rule that is broken. */
export function settings(overrides: Overrides = {}): Settings {
  const merged = merge(DEFAULTS, overrides);
  const broken = rules(merged).filter((rule) => rule !== undefined);
  if (broken.length > 0) throw new TagwireError("SETTINGS_INVALID", broken.join("; "));
  return merged;
}

/** Runs of the consumer over all lanes: its reserved concurrency. */
export const reservedConcurrency = ({ lanes }: Settings): number =>
  LANES.reduce((sum, lane) => sum + lanes[lane].concurrency, 0);

/** Seconds a message lives if its producer says nothing: an hour less than its queue keeps it, so that none vanishes. */
export const lifeSeconds = ({ queues }: Settings): number => queues.retentionDays * 86_400 - 3_600;

/** Seconds a received message stays hidden. */
export const visibilitySeconds = ({ queues, functions }: Settings): number =>
  queues.visibilityFactor * functions.consume.timeoutSeconds;

function rules({ lanes, delivery, functions, queues, receiptDays }: Settings) {
  const range = (name: string, value: number, least: number, most: number) =>
    Number.isFinite(value) && value >= least && value <= most
      ? undefined
      : `${name} must be ${least}-${most}, got ${value}`;
  return [
    ...LANES.flatMap((lane) => [
      range(`lanes.${lane}.concurrency`, lanes[lane].concurrency, 2, 1000),
      range(`lanes.${lane}.batchSize`, lanes[lane].batchSize, 1, 10),
    ]),
    range("queues.retentionDays", queues.retentionDays, 1, 14),
    range("queues.visibilityFactor", queues.visibilityFactor, 1, 48),
    range("delivery.postsInFlight", delivery.postsInFlight, 1, 1000),
    range("delivery.postAttempts", delivery.postAttempts, 1, 10),
    range("delivery.share", delivery.share, 1, 100_000),
    range("delivery.splitLimit", delivery.splitLimit, 2, 100),
    range("delivery.rounds", delivery.rounds, 1, 100),
    range("delivery.deaths", delivery.deaths, 1, 100),
    range("delivery.pace.quota", delivery.pace.quota, 1, 1_000_000),
    range("delivery.pace.share", delivery.pace.share, 0.01, 1),
    range("delivery.reserve", delivery.reserve, 0, functions.consume.timeoutSeconds * 1000 - 1),
    range("receiptDays", receiptDays, queues.deadLetterRetentionDays, 365),
  ];
}

function merge<T>(base: T, changes: Overrides<T> | undefined): T {
  if (typeof base !== "object" || base === null) return (changes as T | undefined) ?? base;
  const entries = Object.entries(base).map(([key, value]) => [
    key,
    merge(value, (changes as Record<string, never> | undefined)?.[key]),
  ]);
  return Object.fromEntries(entries);
}

export interface TableDescription {
  readonly partitionKey: string;
  readonly sortKey?: string;
  /** Seconds since 1970 after which DynamoDB may delete the row. */
  readonly timeToLive: string;
}

export const TABLES = {
  connections: { partitionKey: "connectionId", timeToLive: "ttl" },
  subscriptions: { partitionKey: "tag", sortKey: "key", timeToLive: "ttl" },
  receipts: { partitionKey: "message", sortKey: "part", timeToLive: "ttl" },
} as const satisfies Record<string, TableDescription>;
export type TableName = keyof typeof TABLES;

const QUEUE_URLS = LANES.map((lane) => `QUEUE_URL_${lane.toUpperCase()}` as const);

/** The variables each function reads. The stack and the local runtime set exactly these. */
export const ENV = {
  ingest: [...QUEUE_URLS, "TOKENS", "SETTINGS", "ROUTER"],
  receipts: ["RECEIPTS_TABLE", "TOKENS", "SETTINGS", "ROUTER"],
  consume: [
    ...QUEUE_URLS,
    "DEAD_LETTER_QUEUE_URL",
    "CONNECTIONS_TABLE",
    "SUBSCRIPTIONS_TABLE",
    "RECEIPTS_TABLE",
    "SOCKET_ENDPOINT",
    "SETTINGS",
    "ROUTER",
  ],
  socket: ["CONNECTIONS_TABLE", "SUBSCRIPTIONS_TABLE", "TOKENS", "SETTINGS", "ROUTER"],
} as const satisfies Record<FunctionName, readonly string[]>;

export type Env<F extends FunctionName> = Readonly<Record<(typeof ENV)[F][number], string>>;

/** Reads a function's variables. Throws SETTINGS_INVALID, naming all that are missing. */
export function readEnv<F extends FunctionName>(
  name: F,
  env: Readonly<Record<string, string | undefined>>,
): Env<F> {
  const missing = ENV[name].filter((key) => !env[key]);
  if (missing.length > 0) throw new TagwireError("SETTINGS_INVALID", `${name} needs ${missing.join(", ")}`);
  return env as Env<F>;
}
