import { setTimeout as pause } from "node:timers/promises";
import { type AttributeValue, DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll } from "vitest";
import type { Runtime } from "../../functions/aws/runtime.ts";
import type { HttpEvent } from "../../functions/runtime/event.ts";
import { CREDENTIALS, REGION } from "../../local/twin/emulators/aws.ts";
import { type Queues, startQueues } from "../../local/twin/emulators/queue.ts";
import { startTables, type Tables } from "../../local/twin/emulators/table.ts";
import { environment } from "../../local/twin/lambda/environment.ts";
import { DEV_SECRET } from "../../shared/settings/dev-secret.ts";
import type { SettingsOverrides } from "../../shared/settings/schema.ts";
import { settings } from "../../shared/settings/settings.ts";
import type { TableName } from "../../shared/settings/tables.ts";
import type { FunctionName } from "../../shared/settings/variables.ts";
import { memoryClock } from "../../testing/memory/clock.ts";
import { httpPeer } from "../support/peer.ts";

/** The queues and tables of one test file, and the runtimes of functions that use them. */
export function emulators(overrides: SettingsOverrides = {}) {
  let queues: Queues;
  let tables: Tables;
  beforeAll(async () => {
    [queues, tables] = await Promise.all([startQueues(settings(overrides)), startTables()]);
  });
  afterAll(() => Promise.all([queues.stop(), tables.stop()]));
  return {
    queues: () => queues,
    tables: () => tables,
    /** All rows of a table. */
    async scan(table: TableName): Promise<readonly Record<string, AttributeValue>[]> {
      const client = new DynamoDBClient({
        ...{ region: REGION, credentials: CREDENTIALS, endpoint: tables.endpoint },
      });
      const { Items = [] } = await client.send(new ScanCommand({ TableName: tables.names[table] }));
      client.destroy();
      return Items;
    },
    /** A runtime of the real time, and every line that its function prints. */
    runtime(name: FunctionName, changes: Partial<Runtime> = {}): { runtime: Runtime; lines: string[] } {
      const lines: string[] = [];
      const env = environment(name, {
        settings: settings(overrides),
        queues,
        tables,
        socketEndpoint: "http://127.0.0.1:1",
        secretId: "tokens",
        claim: "tagwire",
      });
      const runtime: Runtime = {
        env,
        write: (line) => lines.push(line),
        readSecret: async (_, stage) => (stage === "AWSCURRENT" ? { text: DEV_SECRET } : undefined),
        // Time stands still but for pauses, and beats go on for as long as a run does.
        clock: { ...memoryClock(Date.now()), pause },
        random: Math.random,
        ...changes,
      };
      return { runtime, lines };
    },
  };
}

/** The counts that a function has written as metric records. */
export const countsIn = (lines: readonly string[]): Readonly<Record<string, number>> =>
  Object.assign({}, ...lines.map((line) => JSON.parse(line)).filter((record) => "_aws" in record));

/** A POST as the HTTP API hands it on. */
export const postOf = (token: string, body: unknown, more: HttpEvent = {}): HttpEvent => ({
  version: "2.0",
  routeKey: "POST /v1/messages",
  headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
  requestContext: { http: { method: "POST" } },
  body: typeof body === "string" ? body : JSON.stringify(body),
  isBase64Encoded: false,
  ...more,
});

/** SQS that takes every message, or none, and says how many wait in a queue. Returns its address and the entries it got. */
export async function sqsPeer({ takes = true, waiting = (_queueUrl: string): number => 0 } = {}) {
  interface Call {
    readonly QueueUrl: string;
    readonly Entries?: readonly { readonly Id: string; readonly MessageBody: string }[];
  }
  const { url, requests } = await httpPeer(({ body }) => {
    const { QueueUrl, Entries: entries } = body as Call;
    if (!entries)
      return { status: 200, body: { Attributes: { ApproximateNumberOfMessages: `${waiting(QueueUrl)}` } } };
    const taken = entries.map(({ Id }) => ({ Id, MessageId: Id }));
    const failed = entries.map(({ Id }) => ({ Id, Code: "InternalError", SenderFault: false }));
    return {
      status: 200,
      body: takes ? { Successful: taken, Failed: [] } : { Successful: [], Failed: failed },
    };
  });
  return { url, entries: () => requests.flatMap(({ body }) => (body as Call).Entries ?? []) };
}
