import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import { v7 as uuid } from "uuid";
import { dynamoConnections } from "../shared/adapters/dynamodb/connections.ts";
import { dynamoReceipts } from "../shared/adapters/dynamodb/receipts.ts";
import { dynamoSubscriptions } from "../shared/adapters/dynamodb/subscriptions.ts";
import { emfTelemetry } from "../shared/adapters/emf/telemetry.ts";
import { consume } from "../shared/pipeline/consume/consume.ts";
import type { Received } from "../shared/pipeline/consume/record.ts";
import { gateway, gatewayMemory } from "../shared/pipeline/deliver/gateway.ts";
import { LANES, type Lane } from "../shared/protocol/lane.ts";
import { visibilitySeconds } from "../shared/settings/derived.ts";
import { deliveryPolicy } from "../shared/settings/policy.ts";
import { readEnv } from "../shared/settings/variables.ts";
import type { Runtime } from "./runtime/runtime.ts";
import { socketsOf } from "./runtime/sockets.ts";
import { appendsOf } from "./runtime/streams.ts";
import { queueClient, queueOf, reserveOf, settingsOf, tableClient } from "./runtime/wiring.ts";

/** The event source of every lane. */
export function consumeHandler(runtime: Runtime) {
  const env = readEnv("consume", runtime.env);
  const settings = settingsOf(env.SETTINGS);
  const policy = deliveryPolicy(settings);
  const laneOf = lanesByQueue(env);
  const tables = tableClient(runtime, reserveOf(settings));
  const deps = {
    queue: queueOf(queueClient(runtime, reserveOf(settings)), env, {
      fair: settings.fairQueues,
      warn: emfTelemetry("consume", runtime.write, env.ROUTER).warn,
    }),
    receipts: dynamoReceipts({
      client: tables,
      table: env.RECEIPTS_TABLE,
      days: settings.receiptRetentionDays,
    }),
    subscriptions: dynamoSubscriptions({
      client: tables,
      table: env.SUBSCRIPTIONS_TABLE,
      clock: runtime.clock,
      random: runtime.random,
      // What a batch leaves is asked for again as long as a hanging call would be.
      patience: () => policy.reserveMilliseconds / 2,
    }),
    connections: dynamoConnections(tables, env.CONNECTIONS_TABLE),
    ...appendsOf(runtime, tables, env.STREAMS_TABLE, settings),
    gateway: gateway(gatewayMemory(policy), {
      sockets: socketsOf(runtime, env.SOCKET_ENDPOINT, policy, tables),
      clock: runtime.clock,
    }),
    clock: runtime.clock,
    random: runtime.random,
    newId: () => uuid({ msecs: runtime.clock.now() }),
    policy,
    visibilitySeconds: visibilitySeconds(settings),
  };

  return async ({ Records }: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
    const telemetry = emfTelemetry("consume", runtime.write, env.ROUTER);
    const end = runtime.clock.now() + context.getRemainingTimeInMillis();
    const received = Records.map((record) => receivedFrom(laneOf(record), record));
    const kept = await consume({ ...deps, telemetry }, received, { end });
    telemetry.flush();
    return { batchItemFailures: kept.map((itemIdentifier) => ({ itemIdentifier })) };
  };
}

/** Returns the lane of a record by the addresses of the queues: the name of a queue ends both its ARN and its address. */
function lanesByQueue(env: Readonly<Record<string, string>>) {
  const nameOf = (lane: Lane) => env[`QUEUE_URL_${lane.toUpperCase()}`]?.split("/").at(-1);
  const lanes = new Map(LANES.map((lane) => [nameOf(lane), lane]));
  return ({ eventSourceARN }: SQSRecord): Lane => lanes.get(eventSourceARN.split(":").at(-1)) ?? "normal";
}

function receivedFrom(lane: Lane, { messageId, body, attributes, receiptHandle }: SQSRecord): Received {
  return { messageId, lane, body, receive: Number(attributes.ApproximateReceiveCount), receiptHandle };
}
