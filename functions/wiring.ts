import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SQSClient } from "@aws-sdk/client-sqs";
import { clientConfig, requestHandler } from "../shared/adapters/aws/client.ts";
import { type SqsQueueOptions, sqsQueue } from "../shared/adapters/aws/sqs-queue.ts";
import { LANES, type Lane } from "../shared/domain/lane.ts";
import type { MessageQueue } from "../shared/ports.ts";
import type { Settings } from "../shared/settings.ts";
import type { World } from "./world.ts";

/** Milliseconds before a call to a queue or a table counts as failed. */
export const TIMEOUT = 5_000;

export const settingsOf = (text: string): Settings => JSON.parse(text) as Settings;

export const tableClient = (world: World): DynamoDBClient =>
  new DynamoDBClient({
    ...clientConfig(world.env, "DYNAMODB"),
    requestHandler: requestHandler(TIMEOUT, 100),
  });

export const queueClient = (world: World): SQSClient =>
  new SQSClient({
    ...clientConfig(world.env, "SQS"),
    requestHandler: requestHandler(TIMEOUT, 50),
    useQueueUrlAsEndpoint: false,
    md5: false,
  });

/** `env` has a QUEUE_URL for each lane. */
export function queueOf(
  client: SQSClient,
  env: Readonly<Record<string, string>>,
  { fair, warn }: Pick<SqsQueueOptions, "fair" | "warn">,
): MessageQueue {
  const urls = Object.fromEntries(LANES.map((lane) => [lane, env[`QUEUE_URL_${lane.toUpperCase()}`] ?? ""]));
  const deadLetterUrl = env["DEAD_LETTER_QUEUE_URL"];
  return sqsQueue({
    client,
    urls: urls as Record<Lane, string>,
    ...(deadLetterUrl ? { deadLetterUrl } : {}),
    fair,
    ...(warn ? { warn } : {}),
  });
}
