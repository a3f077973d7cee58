import type { Message } from "@aws-sdk/client-sqs";
import type { SQSBatchResponse, SQSMessageAttributes, SQSRecord } from "aws-lambda";
import type { Invocation } from "../../invocation.ts";
import { queueArn, REGION } from "../emulators/aws.ts";

/** A received message as Lambda hands it to a function. */
export function recordOf(message: Message, queue: string): SQSRecord {
  const { MessageId = "", ReceiptHandle = "", Body = "", MD5OfBody = "", Attributes = {} } = message;
  return {
    messageId: MessageId,
    receiptHandle: ReceiptHandle,
    body: Body,
    attributes: {
      ApproximateReceiveCount: "1",
      SentTimestamp: "0",
      SenderId: "",
      ApproximateFirstReceiveTimestamp: "0",
      ...Attributes,
    },
    messageAttributes: attributesOf(message),
    md5OfBody: MD5OfBody,
    ...(message.MD5OfMessageAttributes ? { md5OfMessageAttributes: message.MD5OfMessageAttributes } : {}),
    eventSource: "aws:sqs",
    eventSourceARN: queueArn(queue),
    awsRegion: REGION,
  };
}

const attributesOf = ({ MessageAttributes = {} }: Message): SQSMessageAttributes =>
  Object.fromEntries(
    Object.entries(MessageAttributes).map(([name, { DataType = "String", StringValue, BinaryValue }]) => [
      name,
      {
        dataType: DataType,
        ...(StringValue === undefined ? {} : { stringValue: StringValue }),
        ...(BinaryValue === undefined ? {} : { binaryValue: Buffer.from(BinaryValue).toString("base64") }),
        stringListValues: [],
        binaryListValues: [],
      },
    ]),
  );

/**
 * Ids of the messages that stay in the queue, by the rules of ReportBatchItemFailures: an empty answer is full
 * success; a crash, an empty id or one that is not in the batch fails the batch as a whole.
 */
export function failedIds(
  invocation: Invocation<SQSBatchResponse | null | undefined>,
  ids: readonly string[],
): readonly string[] {
  if (invocation.kind !== "returned") return ids;
  const failures: unknown = invocation.value?.batchItemFailures ?? [];
  if (!Array.isArray(failures)) return ids;
  const named: unknown[] = failures.map((failure) => failure?.itemIdentifier);
  const known = named.filter((id): id is string => typeof id === "string" && ids.includes(id));
  return known.length === named.length ? [...new Set(known)] : ids;
}
