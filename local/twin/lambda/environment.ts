import type { Issuer } from "../../../shared/adapters/jwt/issuer-tokens.ts";
import { LANES } from "../../../shared/protocol/lane.ts";
import { settingsVariable } from "../../../shared/settings/former.ts";
import { QUEUE_URL, type QueueVariable } from "../../../shared/settings/queues.ts";
import type { Settings } from "../../../shared/settings/schema.ts";
import { ENV, type FunctionName, STREAM_ENV } from "../../../shared/settings/variables.ts";
import { keepsStreams } from "../../../shared/streams/kept.ts";
import { functionCredentials, REGION } from "../emulators/aws.ts";
import type { Queues } from "../emulators/queue.ts";
import type { Tables } from "../emulators/table.ts";

export type Environment = Readonly<Record<string, string>>;

interface Parts {
  readonly settings: Settings;
  readonly queues: Pick<Queues, "endpoint" | "urls" | "deadLetterUrl">;
  readonly tables: Pick<Tables, "endpoint" | "names">;
  readonly socketEndpoint: string;
  readonly secretId: string;
  /** Whose tokens are trusted, instead of those signed with the secret. */
  readonly issuer?: Issuer;
  /** The claim of a token that holds its grant. */
  readonly claim: string;
}

/**
 * The variables of one function: those of its row in ENV, those of STREAM_ENV if the settings keep a stream, and those of
 * the AWS SDK. No others.
 */
export function environment(name: FunctionName, parts: Parts): Environment {
  const { settings, queues, tables, socketEndpoint, secretId, issuer, claim } = parts;
  const all: Readonly<Record<(typeof ENV)[FunctionName][number], string>> = {
    ...(Object.fromEntries(LANES.map((lane) => [QUEUE_URL[lane], queues.urls[lane]])) as Record<
      QueueVariable,
      string
    >),
    DEAD_LETTER_QUEUE_URL: queues.deadLetterUrl,
    CONNECTIONS_TABLE: tables.names.connections,
    SUBSCRIPTIONS_TABLE: tables.names.subscriptions,
    RECEIPTS_TABLE: tables.names.receipts,
    QUOTAS_TABLE: tables.names.quotas,
    SOCKET_ENDPOINT: socketEndpoint,
    TOKENS: JSON.stringify({ ...(issuer ?? { secretId }), claim }),
    SETTINGS: settingsVariable(settings),
    ROUTER: "local",
  };
  const streams = { STREAMS_TABLE: tables.names.streams };
  const streamNames = keepsStreams(settings) ? (STREAM_ENV[name] ?? []) : [];
  const { accessKeyId, secretAccessKey, sessionToken } = functionCredentials(name);
  return {
    ...Object.fromEntries(ENV[name].map((key) => [key, all[key]])),
    ...Object.fromEntries(streamNames.map((key) => [key, streams[key]])),
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
    AWS_ENDPOINT_URL_SQS: queues.endpoint,
    AWS_ENDPOINT_URL_DYNAMODB: tables.endpoint,
  };
}
