import { type ErrorCode, messageOf, TagwireError } from "../../protocol/errors.ts";

/** What every SDK client is made of: the function's own variables, so that several routers fit in one process. */
export function clientConfig(env: Readonly<Record<string, string | undefined>>, service: string) {
  const {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  } = env;
  const endpoint = env[`AWS_ENDPOINT_URL_${service}`] ?? env["AWS_ENDPOINT_URL"];
  return {
    ...(env["AWS_REGION"] ? { region: env["AWS_REGION"] } : {}),
    ...(endpoint ? { endpoint } : {}),
    ...(accessKeyId && secretAccessKey
      ? { credentials: { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) } }
      : {}),
    cacheMiddleware: true,
  };
}

/**
 * Waits at most so many milliseconds for an answer to begin, and as long for the next piece of it, with room for so many
 * calls at once.
 */
export const requestHandler = (requestTimeout: number, maxSockets: number) => ({
  connectionTimeout: Math.min(1_000, requestTimeout),
  requestTimeout,
  socketTimeout: requestTimeout,
  throwOnRequestTimeout: true,
  httpAgent: { maxSockets },
  httpsAgent: { maxSockets },
});

/** Runs a call on a table; a fault becomes TABLE_UNAVAILABLE with the SDK's error as its cause. */
export const onTable = <T>(what: string, call: () => Promise<T>): Promise<T> =>
  translated("TABLE_UNAVAILABLE", `${what} failed`, call);

/** Runs a call on a queue; a fault becomes QUEUE_UNAVAILABLE with the SDK's error as its cause. */
export const onQueue = <T>(failure: string, call: () => Promise<T>): Promise<T> =>
  translated("QUEUE_UNAVAILABLE", failure, call);

async function translated<T>(code: ErrorCode, failure: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    throw new TagwireError(code, `${failure}: ${messageOf(cause)}`, { cause });
  }
}

/** Runs a conditional write; false where its condition did not hold. */
export async function ifHolds(write: () => Promise<unknown>): Promise<boolean> {
  try {
    await write();
    return true;
  } catch (fault) {
    if (fault instanceof Error && fault.name === "ConditionalCheckFailedException") return false;
    throw fault;
  }
}
