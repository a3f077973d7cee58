import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SQSClient } from "@aws-sdk/client-sqs";
import { dynamoReceiptImport } from "../../shared/adapters/dynamodb/receipt-import.ts";
import { dynamoStreams } from "../../shared/adapters/dynamodb/streams.ts";
import { clientConfig, requestHandler } from "../../shared/adapters/sdk/client.ts";
import { sqsQueue } from "../../shared/adapters/sqs/message-queue.ts";
import type { Telemetry } from "../../shared/ports.ts";
import { regionIn } from "../region.ts";
import type { Destination } from "./carry.ts";
import type { StackOutputs } from "./outputs.ts";

/** Milliseconds before a call counts as failed, and how many are made at once. */
const TIMEOUT = 10_000;
const CALLS = 50;

/** The queues and tables of a stack, with the credentials that the AWS SDK finds. */
export function openAccount(
  env: Readonly<Record<string, string | undefined>>,
  { laneUrls, deadLetterUrl, receiptsTable, streamsTable }: StackOutputs,
  warn: Telemetry["warn"],
): Destination {
  const region = regionIn(deadLetterUrl);
  const config = (service: string) => ({
    ...clientConfig(env, service),
    ...(region ? { region } : {}),
    requestHandler: requestHandler(TIMEOUT, CALLS),
  });
  const sqs = new SQSClient({ ...config("SQS"), useQueueUrlAsEndpoint: false, md5: false });
  const dynamodb = new DynamoDBClient(config("DYNAMODB"));
  return {
    queue: sqsQueue({ client: sqs, urls: laneUrls, deadLetterUrl, fair: true, warn }),
    receipts: dynamoReceiptImport(dynamodb, receiptsTable),
    ...(streamsTable === undefined ? {} : { streams: dynamoStreams(dynamodb, streamsTable) }),
  };
}
