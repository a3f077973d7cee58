import { type AttributeValue, DynamoDBClient, PutItemCommand, paginateScan } from "@aws-sdk/client-dynamodb";
import { onTestFinished } from "vitest";
import { socketFunction as socketFunctionOf } from "../../functions/aws/socket.ts";
import type { SocketEvent } from "../../functions/runtime/socket-event.ts";
import { CREDENTIALS, REGION } from "../../local/twin/emulators/aws.ts";
import { startTables } from "../../local/twin/emulators/table.ts";
import type { Clock } from "../../shared/ports.ts";
import type { ServerFrame } from "../../shared/protocol/frame.ts";
import { DEV_SECRET } from "../../shared/settings/dev-secret.ts";
import { settings } from "../../shared/settings/settings.ts";
import { type TableFrontOptions, tableFront } from "../../testing/table-front.ts";
import { tokenFor } from "./client.ts";
import { patient } from "./patient.ts";

export type Row = Record<string, AttributeValue>;

/** The wall clock, with pauses that take no time and move `monotonic` on. */
export function hastyClock(): Clock {
  let skipped = 0;
  return {
    now: () => Date.now() + skipped,
    monotonic: () => performance.now() + skipped,
    pause: async (milliseconds) => {
      skipped += milliseconds;
    },
  };
}

const SETTINGS = settings(patient());

/** The time of a run. */
export const TIMEOUT_MILLISECONDS = SETTINGS.advanced.functions.socket.timeoutSeconds * 1_000;

/**
 * The socket function over emulated tables that are as unkind as asked, for the length of a test. `kind`: without
 * anything in front of them.
 */
export async function socketFunction(
  { kind = false, ...options }: TableFrontOptions & { readonly kind?: boolean } = {},
  clock: Clock = hastyClock(),
) {
  const tables = await startTables();
  const front = await tableFront(tables, options);
  const client = new DynamoDBClient({ endpoint: tables.endpoint, region: REGION, credentials: CREDENTIALS });
  onTestFinished(async () => {
    client.destroy();
    await front.stop();
    await tables.stop();
  });
  const lines: string[] = [];
  const handler = socketFunctionOf({
    env: {
      CONNECTIONS_TABLE: tables.names.connections,
      SUBSCRIPTIONS_TABLE: tables.names.subscriptions,
      // Nothing listens there: what cannot be sent is returned.
      SOCKET_ENDPOINT: "http://127.0.0.1:9/live",
      TOKENS: JSON.stringify({ secretId: "secret" }),
      ROUTER: "router",
      SETTINGS: JSON.stringify(SETTINGS),
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
      AWS_ENDPOINT_URL_DYNAMODB: kind ? tables.endpoint : front.endpoint,
    },
    write: (line) => void lines.push(line),
    readSecret: async () => ({ text: DEV_SECRET }),
    clock,
    random: Math.random,
  });
  const invoke = (event: SocketEvent) => {
    const end = clock.monotonic() + TIMEOUT_MILLISECONDS;
    return handler(event, { getRemainingTimeInMillis: () => end - clock.monotonic() });
  };
  const scan = async (table: keyof typeof tables.names): Promise<Row[]> => {
    const rows: Row[] = [];
    const pages = paginateScan({ client }, { TableName: tables.names[table], ConsistentRead: true });
    for await (const { Items = [] } of pages) rows.push(...Items);
    return rows;
  };
  const put = async (table: keyof typeof tables.names, Item: Row): Promise<void> => {
    await client.send(new PutItemCommand({ TableName: tables.names[table], Item }));
  };
  const connectedAt = clock.now();
  const contextOf = (connectionId: string, eventType: "CONNECT" | "MESSAGE" | "DISCONNECT") => ({
    requestContext: { connectionId, connectedAt, eventType },
  });
  const connect = async (id: string, claims: Record<string, unknown> = {}) =>
    invoke({
      ...contextOf(id, "CONNECT"),
      queryStringParameters: { token: await tokenFor("ann", claims) },
    });
  const ask = async (id: string, frame: unknown): Promise<ServerFrame> => {
    const { body = "" } = await invoke({ ...contextOf(id, "MESSAGE"), body: JSON.stringify(frame) });
    return JSON.parse(body);
  };
  const disconnect = (id: string) => invoke(contextOf(id, "DISCONNECT"));
  return {
    invoke,
    connect,
    ask,
    disconnect,
    scan,
    put,
    calls: front.calls,
    lines,
    clock,
    connectedAt,
    contextOf,
  };
}

/** Tags of a connection's row, and those whose lists hold it. */
export async function tagsOf({ scan }: Pick<Awaited<ReturnType<typeof socketFunction>>, "scan">, id: string) {
  const row = (await scan("connections")).find((it) => it["connectionId"]?.S === id);
  const lists = (await scan("subscriptions")).filter((it) => it["key"]?.S?.endsWith(`#${id}`));
  return { row: row?.["tags"]?.SS?.toSorted(), lists: lists.map((it) => it["tag"]?.S).toSorted() };
}
