import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import { dynamoConnections } from "../../shared/adapters/dynamodb/connections.ts";
import { dynamoReceipts } from "../../shared/adapters/dynamodb/receipts.ts";
import type { Received } from "../../shared/pipeline/consume/record.ts";
import { gateway, gatewayMemory } from "../../shared/pipeline/deliver/gateway.ts";
import { LANES, type Lane } from "../../shared/protocol/lane.ts";
import { deliveryPolicy } from "../../shared/settings/policy.ts";
import { QUEUE_URL } from "../../shared/settings/queues.ts";
import { readEnv } from "../../shared/settings/variables.ts";
import { consumeHandler } from "../consume.ts";
import { socketsOf } from "./callback.ts";
import { quotaOf } from "./quota.ts";
import type { Runtime } from "./runtime.ts";
import { settingsOf } from "./settings.ts";
import { streamTable } from "./stream-table.ts";
import { subscriptionsOf, tableClient } from "./table-client.ts";
import { queueClient, queueOf, reserveOf, telemetryOf } from "./wiring.ts";

/** The function behind the event source of every lane. */
export function consumeFunction(runtime: Runtime) {
  const env = readEnv("consume", runtime.env);
  const { clock, random } = runtime;
  const settings = settingsOf(env);
  const policy = deliveryPolicy(settings);
  const laneOf = lanesByQueue(env);
  const tables = tableClient(runtime, reserveOf(settings));
  const quota = quotaOf(runtime, env.QUOTAS_TABLE, settings);
  const memory = gatewayMemory(policy, quota.share);
  const telemetry = telemetryOf(runtime, "consume", env.ROUTER, settings);
  const handler = consumeHandler({
    queue: queueOf(queueClient(runtime, reserveOf(settings)), env, {
      fair: settings.fairQueues,
      warn: telemetry().warn,
    }),
    receipts: dynamoReceipts({
      client: tables,
      table: env.RECEIPTS_TABLE,
      days: settings.receiptRetentionDays,
    }),
    // What a batch leaves is asked for again as long as a hanging call would be.
    subscriptions: subscriptionsOf(
      runtime,
      tables,
      env.SUBSCRIPTIONS_TABLE,
      settings,
    )(() => policy.reserveMilliseconds / 2),
    connections: dynamoConnections(tables, env.CONNECTIONS_TABLE),
    ...streamTable(tables, env.STREAMS_TABLE),
    gateway: gateway(memory, {
      sockets: socketsOf(runtime, env.SOCKET_ENDPOINT, policy, tables),
      clock,
    }),
    beats: quota.beats,
    settings,
    clock,
    random,
    telemetry,
  });

  return async ({ Records }: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
    const end = clock.now() + context.getRemainingTimeInMillis();
    const kept = await handler(
      Records.map((record) => receivedFrom(laneOf(record), record)),
      { end, id: context.awsRequestId },
    );
    return { batchItemFailures: kept.map((itemIdentifier) => ({ itemIdentifier })) };
  };
}

/** Returns the lane of a record by the addresses of the queues: the name of a queue ends both its ARN and its address. */
function lanesByQueue(env: Readonly<Record<string, string>>) {
  const nameOf = (lane: Lane) => env[QUEUE_URL[lane]]?.split("/").at(-1);
  const lanes = new Map(LANES.map((lane) => [nameOf(lane), lane]));
  return ({ eventSourceARN }: SQSRecord): Lane => lanes.get(eventSourceARN.split(":").at(-1)) ?? "normal";
}

function receivedFrom(lane: Lane, { messageId, body, attributes, receiptHandle }: SQSRecord): Received {
  const sentAt = Number(attributes.SentTimestamp);
  return {
    ...{ messageId, lane, body, receiptHandle, receive: Number(attributes.ApproximateReceiveCount) },
    ...(Number.isSafeInteger(sentAt) ? { sentAt } : {}),
  };
}
