import {
  DeleteMessageBatchCommand,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { sqsClient, startQueues } from "../../local/twin/emulators/queue.ts";
import { LANES, type Lane } from "../../shared/protocol/lane.ts";
import { settings } from "../../shared/settings/settings.ts";
import { serveParent } from "../child.ts";

export interface QueueReady {
  readonly endpoint: string;
  readonly urls: Readonly<Record<Lane, string>>;
  readonly deadLetterUrl: string;
}

export type QueueQuestion = { readonly ask: "empty" } | { readonly ask: "take"; readonly lane: Lane };

const { endpoint, urls, deadLetterUrl } = await startQueues(settings());
const client = sqsClient(endpoint);

/** The lanes in memory. Empties them, or takes all bodies out of one, when asked. */
serveParent<QueueReady, QueueQuestion, readonly string[]>(
  { endpoint, urls, deadLetterUrl },
  async (question) => {
    if (question.ask === "take") return takeAll(client, urls[question.lane]);
    await Promise.all(LANES.map((lane) => client.send(new PurgeQueueCommand({ QueueUrl: urls[lane] }))));
    return [];
  },
);

async function takeAll(from: SQSClient, QueueUrl: string): Promise<string[]> {
  const bodies: string[] = [];
  for (;;) {
    const { Messages = [] } = await from.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 0 }),
    );
    if (Messages.length === 0) return bodies;
    bodies.push(...Messages.map(({ Body = "" }) => Body));
    const Entries = Messages.map(({ ReceiptHandle }, i) => ({ Id: String(i), ReceiptHandle }));
    await from.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
  }
}
