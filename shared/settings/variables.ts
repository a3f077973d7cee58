import { TagwireError } from "../protocol/errors.ts";
import { withFormer } from "./former.ts";
import { QUEUE_URL, type QueueVariable } from "./queues.ts";

export const FUNCTIONS = ["ingest", "receipts", "connections", "consume", "socket"] as const;
export type FunctionName = (typeof FUNCTIONS)[number];

const QUEUE_URLS: readonly QueueVariable[] = Object.values(QUEUE_URL);

/** The variables each function reads. The stack and the local runtime set exactly these. */
export const ENV = {
  ingest: [...QUEUE_URLS, "QUOTAS_TABLE", "TOKENS", "SETTINGS", "ROUTER"],
  receipts: ["RECEIPTS_TABLE", "TOKENS", "SETTINGS", "ROUTER"],
  connections: [
    "CONNECTIONS_TABLE",
    "SUBSCRIPTIONS_TABLE",
    "SOCKET_ENDPOINT",
    "TOKENS",
    "SETTINGS",
    "ROUTER",
  ],
  consume: [
    ...QUEUE_URLS,
    "DEAD_LETTER_QUEUE_URL",
    "CONNECTIONS_TABLE",
    "SUBSCRIPTIONS_TABLE",
    "RECEIPTS_TABLE",
    "QUOTAS_TABLE",
    "SOCKET_ENDPOINT",
    "SETTINGS",
    "ROUTER",
  ],
  socket: ["CONNECTIONS_TABLE", "SUBSCRIPTIONS_TABLE", "SOCKET_ENDPOINT", "TOKENS", "SETTINGS", "ROUTER"],
} as const satisfies Record<FunctionName, readonly string[]>;

/** The variables that each function has as well if the settings keep a stream. */
export const STREAM_ENV: Readonly<Partial<Record<FunctionName, readonly StreamVariable[]>>> = {
  receipts: ["STREAMS_TABLE"],
  consume: ["STREAMS_TABLE"],
  socket: ["STREAMS_TABLE"],
};
export type StreamVariable = "STREAMS_TABLE";

/** The requests per second that the account had at the deploy. Ingest and the consumer have it if the settings do not say it. */
export const QUOTA_ENV = "QUOTA_REQUESTS_PER_SECOND";
export type QuotaVariable = typeof QUOTA_ENV;

export type Env<F extends FunctionName> = Readonly<Record<(typeof ENV)[F][number], string>> &
  Readonly<Partial<Record<StreamVariable | QuotaVariable, string>>>;

/** Reads a function's variables. Throws SETTINGS_INVALID, naming all that are missing. */
export function readEnv<F extends FunctionName>(
  name: F,
  variables: Readonly<Record<string, string | undefined>>,
): Env<F> {
  const env = withFormer(variables);
  const missing = ENV[name].filter((key) => !env[key]);
  if (missing.length > 0) throw new TagwireError("SETTINGS_INVALID", `${name} needs ${missing.join(", ")}`);
  return env as Env<F>;
}
