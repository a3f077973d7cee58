import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { ApiGatewayManagementApiClient } from "@aws-sdk/client-apigatewaymanagementapi";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Context, SQSBatchResponse, SQSEvent } from "aws-lambda";
import { consumeFunction } from "../functions/aws/consume.ts";
import type { Runtime } from "../functions/aws/runtime.ts";
import { CREDENTIALS, queueArn, REGION } from "../local/twin/emulators/aws.ts";
import { LANES } from "../shared/protocol/lane.ts";
import type { Target } from "../shared/protocol/target.ts";
import { QUEUE_URL } from "../shared/settings/queues.ts";
import type { SettingsOverrides } from "../shared/settings/schema.ts";
import { settings } from "../shared/settings/settings.ts";
import { keepsStreams } from "../shared/streams/kept.ts";
import { type Child, startChild } from "./child.ts";
import { plainConsumer } from "./plain/consume.ts";
import type { GatewayReady } from "./server/gateway.ts";
import type { QueueQuestion, QueueReady } from "./server/queue.ts";
import type { TableQuestion, TableReady, Units } from "./server/table.ts";
import { BYTES, type Shape } from "./shape.ts";

export type Consumer = (event: SQSEvent, context: Context) => Promise<SQSBatchResponse>;

/** What a consumer stands on, each in a process of its own. */
export interface Fixture {
  readonly gateway: Child<GatewayReady, "posts", number>;
  readonly queue: Child<QueueReady, QueueQuestion, readonly string[]>;
  readonly tables: Child<TableReady, TableQuestion, Units>;
}

/** Starts all three. */
export async function startFixture(): Promise<Fixture> {
  const [gateway, queue, tables] = await Promise.all([
    startChild<GatewayReady, "posts", number>("gateway"),
    startChild<QueueReady, QueueQuestion, readonly string[]>("queue"),
    startChild<TableReady, TableQuestion, Units>("table"),
  ]);
  return { gateway, queue, tables };
}

/** Writes the lists that the messages of a shape need. */
export async function fill({ tables }: Fixture, { lists }: Shape): Promise<void> {
  for (const [tag, connections] of Object.entries(lists)) await tables.ask({ ask: "fill", tag, connections });
}

export const stopFixture = ({ gateway, queue, tables }: Fixture): Promise<unknown> =>
  Promise.all([gateway.stop(), queue.stop(), tables.stop()]);

/** Serves one batch and the jobs that it was split into, and answers their number. Fails where a post was not made. */
export function oneBatch({ gateway, queue }: Fixture, { targets, reach, keeps }: Shape, consumer: Consumer) {
  return async (): Promise<number> => {
    const before = await gateway.ask("posts");
    await invoke(
      consumer,
      targets.map((target) => bodyOf(target, keeps)),
      "normal",
    );
    let jobs = 0;
    if (reach > 1_000) {
      for (const body of await queue.ask({ ask: "take", lane: "fanout-normal" })) {
        await invoke(consumer, [body], "fanout-normal");
        jobs++;
      }
    }
    const posts = (await gateway.ask("posts")) - before;
    const due = targets.length * reach;
    if (posts !== due) throw new Error(`${posts} posts were made, ${due} were due`);
    return jobs;
  };
}

async function invoke(consumer: Consumer, bodies: readonly string[], lane: string): Promise<void> {
  const Records = bodies.map((body) => ({
    messageId: randomUUID(),
    receiptHandle: "handle",
    body,
    attributes: { ApproximateReceiveCount: "1" },
    eventSourceARN: queueArn(`tagwire-${lane}`),
  }));
  const context = { getRemainingTimeInMillis: () => 60_000 } as Context;
  const { batchItemFailures } = await consumer({ Records } as unknown as SQSEvent, context);
  if (batchItemFailures.length > 0) throw new Error(`${batchItemFailures.length} records failed`);
}

const bodyOf = (target: Target, keeps: Shape["keeps"]): string =>
  JSON.stringify({
    v: 1,
    message: {
      id: randomUUID(),
      producer: "producer",
      acceptanceId: randomUUID(),
      target,
      event: "order.shipped",
      data: { note: "x".repeat(BYTES - 11) },
      priority: "normal",
      time: new Date().toISOString(),
      expiresAt: Date.now() + 3_600_000,
      dedupeSeconds: 300,
      ...(keeps ? { keeps } : {}),
    },
  });

/** The plain consumer on these tables. */
export function plain({ gateway, tables }: Fixture, endpoint: string): Consumer {
  const common = { region: REGION, credentials: CREDENTIALS };
  return plainConsumer({
    tables: new DynamoDBClient({ ...common, endpoint }),
    posts: new ApiGatewayManagementApiClient({ ...common, endpoint: gateway.ready.endpoint }),
    table: tables.ready.names.subscriptions,
  });
}

/** Our consumer on these tables: the function as it is deployed. */
export function ours(
  { gateway, queue, tables }: Fixture,
  endpoint: string,
  changes: SettingsOverrides = {},
): Consumer {
  const chosen = settings({ quotaRequestsPerSecond: 1_000_000, quotaFraction: 1, ...changes });
  const { urls, deadLetterUrl } = queue.ready;
  const { names } = tables.ready;
  const runtime: Runtime = {
    env: {
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
      AWS_ENDPOINT_URL_SQS: queue.ready.endpoint,
      AWS_ENDPOINT_URL_DYNAMODB: endpoint,
      ...Object.fromEntries(LANES.map((lane) => [QUEUE_URL[lane], urls[lane]])),
      DEAD_LETTER_QUEUE_URL: deadLetterUrl,
      CONNECTIONS_TABLE: names.connections,
      SUBSCRIPTIONS_TABLE: names.subscriptions,
      RECEIPTS_TABLE: names.receipts,
      QUOTAS_TABLE: names.quotas,
      SOCKET_ENDPOINT: gateway.ready.endpoint,
      ROUTER: "bench",
      ...(keepsStreams(chosen) ? { STREAMS_TABLE: names.streams } : {}),
      SETTINGS: JSON.stringify(chosen),
    },
    write: () => {},
    readSecret: async () => undefined,
    clock: {
      now: Date.now,
      monotonic: () => performance.now(),
      pause: async (milliseconds) => {
        await pause(milliseconds);
      },
    },
    random: Math.random,
  };
  return consumeFunction(runtime);
}
