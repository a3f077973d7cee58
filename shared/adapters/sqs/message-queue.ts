import {
  ChangeMessageVisibilityCommand,
  GetQueueAttributesCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import type { Entry, MessageQueue, Telemetry } from "../../ports.ts";
import type { Lane } from "../../protocol/lane.ts";
import { BODY_BYTES, QUEUE_BATCH } from "../../protocol/limits.ts";
import { bodyOf } from "../../receipts/job-body.ts";
import { onQueue } from "../sdk/client.ts";

export interface SqsQueueOptions {
  readonly client: SQSClient;
  readonly urls: Readonly<Record<Lane, string>>;
  readonly deadLetterUrl?: string;
  /** Whether MessageGroupId is the producer (SQS fair queues). */
  readonly fair: boolean;
  /** Gets the reason why the queue refused an entry; the sender gets only false. @default ignored */
  readonly warn?: Telemetry["warn"];
}

/** Lanes as SQS standard queues. */
export function sqsQueue(options: SqsQueueOptions): MessageQueue {
  const { client, urls, deadLetterUrl } = options;
  return {
    async send(lane, entries) {
      const batches = inBatches(entries.map((entry) => ({ ...entry, body: escaped(bodyOf(entry.job)) })));
      const taken = await Promise.all(batches.map((batch) => sendBatch(options, lane, batch)));
      return taken.flat();
    },
    changeVisibility: (lane, receiptHandle, seconds) =>
      onQueue("visibility not changed", async () => {
        try {
          await client.send(
            new ChangeMessageVisibilityCommand({
              QueueUrl: urls[lane],
              ReceiptHandle: receiptHandle,
              VisibilityTimeout: seconds,
            }),
          );
        } catch (fault) {
          if (!(fault instanceof Error) || !STALE_HANDLE.has(fault.name)) throw fault;
        }
      }),
    deadLetter: (lane, body, reason) =>
      onQueue("the dead-letter queue did not take a message", async () => {
        await client.send(
          new SendMessageCommand({
            QueueUrl: deadLetterUrl,
            MessageBody: body.replaceAll(/[\ufffe\uffff]/g, asEscape),
            MessageAttributes: { reason: attributeOf(reason), lane: attributeOf(lane) },
          }),
        );
      }),
    backlog: (lane) => onQueue("backlog not read", () => sizeOf(client, urls[lane], HELD)),
  };
}

/** Roughly how many messages of a queue can be received now. */
export const VISIBLE = ["ApproximateNumberOfMessages"] as const;
/** Roughly how many a queue holds: visible, hidden and delayed ones. */
const HELD = [
  ...VISIBLE,
  "ApproximateNumberOfMessagesNotVisible",
  "ApproximateNumberOfMessagesDelayed",
] as const;

/** The sum of some counts of a queue. */
export async function sizeOf(
  client: SQSClient,
  QueueUrl: string,
  counts: readonly (typeof HELD)[number][],
): Promise<number> {
  const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...counts] });
  const { Attributes = {} } = await client.send(command);
  return counts.reduce((sum, count) => sum + Number(Attributes[count] ?? 0), 0);
}

const STALE_HANDLE: ReadonlySet<string> = new Set([
  "ReceiptHandleIsInvalid",
  "MessageNotInflight",
  "InvalidParameterValue",
  "InvalidParameterValueException",
]);

/**
 * SQS refuses U+FFFE and U+FFFF (SendMessage: "#xE000 to #xFFFD"), and some stand-ins whatever needs a surrogate
 * pair. JSON can write all of them as escapes.
 */
const escaped = (json: string): string => json.replaceAll(/[\ud800-\udfff\ufffe\uffff]/g, asEscape);

const asEscape = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16)}`;

/** A reason may quote from the body. SQS rejects an empty attribute value. */
const attributeOf = (text: string) => ({
  DataType: "String",
  StringValue: text.slice(0, 1_000).replaceAll(/[^\t\n\r -\ud7ff\ue000-\ufffd]/g, "\ufffd") || "none given",
});

type Written = Entry & { readonly body: string };

/** Tens, and fewer where ten would be more bytes than one call carries. */
export function inBatches<T extends { readonly body: string }>(entries: readonly T[]): T[][] {
  const batches: T[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const entry of entries) {
    const size = Buffer.byteLength(entry.body);
    const last = batches.at(-1);
    if (last && last.length < QUEUE_BATCH && bytes + size <= BODY_BYTES) {
      last.push(entry);
      bytes += size;
    } else {
      batches.push([entry]);
      bytes = size;
    }
  }
  return batches;
}

async function sendBatch(
  { client, urls, fair, warn = () => {} }: SqsQueueOptions,
  lane: Lane,
  batch: readonly Written[],
): Promise<boolean[]> {
  const Entries = batch.map(({ body, job, delaySeconds }, index) => ({
    Id: String(index),
    MessageBody: body,
    ...(delaySeconds ? { DelaySeconds: delaySeconds } : {}),
    ...(fair ? { MessageGroupId: groupOf(job.message.producer) } : {}),
  }));
  try {
    const { Successful, Failed = [] } = await client.send(
      new SendMessageBatchCommand({ QueueUrl: urls[lane], Entries }),
    );
    for (const { Code, Message } of Failed) warn("message not taken", { lane, code: Code, detail: Message });
    return succeeded(batch, Successful);
  } catch (fault) {
    warn("messages not taken", { lane, messages: batch.length }, fault);
    return batch.map(() => false);
  }
}

/** Which entries of a batch call went through: each has its place in the batch as its id. */
export function succeeded(
  batch: readonly unknown[],
  ids: readonly { Id?: string | undefined }[] = [],
): boolean[] {
  const done = new Set(ids.map(({ Id }) => Id));
  return batch.map((_, index) => done.has(String(index)));
}

/** SQS allows alphanumeric characters and ASCII punctuation in a group id. Other characters are percent-encoded. */
export const groupOf = (producer: string) => encodeURIComponent(producer).slice(0, 128);
