import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { chunks } from "../../chunks.ts";
import type { DeadLetter, DeadLetters, HeldDeadLetter } from "../../ports.ts";
import { type Lane, laneNamed } from "../../protocol/lane.ts";
import { QUEUE_BATCH } from "../../protocol/limits.ts";
import { onQueue } from "../sdk/client.ts";
import { groupOf, inBatches, sizeOf, succeeded, VISIBLE } from "./message-queue.ts";

export interface SqsDeadLettersOptions {
  readonly client: SQSClient;
  readonly url: string;
  /** Returns where a lane is. Called when something is first sent there. */
  readonly laneUrl: (lane: Lane) => Promise<string>;
}

/** A long poll asks every server of the queue, so an empty answer means that there is nothing to see. */
const LONG_POLL_SECONDS = 1;
/** Batch calls under way at once. */
const CALLS = 10;

/** The dead-letter queue in SQS. Faults are QUEUE_UNAVAILABLE. */
export function sqsDeadLetters({ client, url, laneUrl }: SqsDeadLettersOptions): DeadLetters {
  return {
    receive: (most, holdSeconds) =>
      onQueue("dead letters not received", async () => {
        const { Messages = [] } = await client.send(
          new ReceiveMessageCommand({
            QueueUrl: url,
            MaxNumberOfMessages: most,
            VisibilityTimeout: holdSeconds,
            WaitTimeSeconds: LONG_POLL_SECONDS,
            MessageAttributeNames: ["All"],
            MessageSystemAttributeNames: ["SentTimestamp"],
          }),
        );
        return Messages.map(parseDeadLetter);
      }),
    release: (deadLetters) =>
      onQueue("dead letters not released", async () => {
        await eachBatch(chunks(deadLetters, QUEUE_BATCH), async (batch) => {
          const Entries = handles(batch).map((entry) => ({ ...entry, VisibilityTimeout: 0 }));
          await client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: url, Entries }));
          return [];
        });
      }),
    forward: async (lane, entries) => {
      const QueueUrl = await laneUrl(lane);
      return onQueue(`lane ${lane} did not take dead letters`, () =>
        eachBatch(inBatches(entries), async (batch) => {
          const Entries = batch.map(({ body, producer }, index) => ({
            Id: String(index),
            MessageBody: body,
            MessageGroupId: groupOf(producer),
          }));
          const sent = await client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
          return succeeded(batch, sent.Successful);
        }),
      );
    },
    remove: (deadLetters) =>
      onQueue("dead letters not deleted", () =>
        eachBatch(chunks(deadLetters, QUEUE_BATCH), async (batch) => {
          const command = new DeleteMessageBatchCommand({ QueueUrl: url, Entries: handles(batch) });
          return succeeded(batch, (await client.send(command)).Successful);
        }),
      ),
    size: () => onQueue("the dead-letter queue not read", () => sizeOf(client, url, VISIBLE)),
  };
}

function parseDeadLetter({
  MessageId,
  ReceiptHandle,
  Body,
  Attributes,
  MessageAttributes,
}: Message): DeadLetter {
  const reason = MessageAttributes?.["reason"]?.StringValue;
  const lane = laneNamed(MessageAttributes?.["lane"]?.StringValue);
  return {
    entryId: MessageId ?? "",
    receiptHandle: ReceiptHandle ?? "",
    body: Body ?? "",
    ...(reason === undefined ? {} : { reason }),
    ...(lane === undefined ? {} : { lane }),
    sentAt: Number(Attributes?.SentTimestamp ?? 0),
  };
}

const handles = (deadLetters: readonly HeldDeadLetter[]) =>
  deadLetters.map(({ receiptHandle }, index) => ({ Id: String(index), ReceiptHandle: receiptHandle }));

/** Calls for each batch, a bounded number at a time, and joins what they answer, in order. */
async function eachBatch<T>(
  batches: readonly T[][],
  call: (batch: T[]) => Promise<boolean[]>,
): Promise<boolean[]> {
  const answers: boolean[][] = [];
  for (const some of chunks(batches, CALLS)) answers.push(...(await Promise.all(some.map(call))));
  return answers.flat();
}
