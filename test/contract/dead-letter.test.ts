import {
  DeleteMessageCommand,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sqsClient } from "../../local/twin/emulators/queue.ts";
import { sqsDeadLetters } from "../../shared/adapters/sqs/dead-letters.ts";
import { sqsQueue } from "../../shared/adapters/sqs/message-queue.ts";
import type { Lane } from "../../shared/protocol/lane.ts";
import { memoryClock } from "../../testing/memory/clock.ts";
import { memoryDeadLetters } from "../../testing/memory/dead-letters.ts";
import { type CheckedQueues, startCheckedQueues } from "../support/queues.ts";
import { deadLettersContract } from "./dead-letters.ts";

describe("dead letters in memory", () =>
  deadLettersContract(async () => {
    const clock = memoryClock(Date.now());
    const deadLetters = memoryDeadLetters(clock);
    return {
      deadLetters,
      add: async (body, reason, lane) =>
        deadLetters.add({ body, ...(reason ? { reason } : {}), ...(lane ? { lane } : {}) }),
      drain: async (lane) => deadLetters.lanes[lane].splice(0),
      pass: (seconds) => clock.advance(seconds * 1000),
    };
  }));

describe("dead letters in SQS", () => {
  let queues: CheckedQueues;
  let client: SQSClient;
  beforeAll(async () => {
    queues = await startCheckedQueues();
    client = sqsClient(queues.endpoint);
  });
  afterAll(async () => {
    client.destroy();
    await queues.stop();
    expect(queues.refusals).toEqual([]);
  });

  const drain = async (lane: Lane) => {
    const bodies: string[] = [];
    for (;;) {
      const QueueUrl = queues.urls[lane];
      const command = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 });
      const { Messages = [] } = await client.send(command);
      if (Messages.length === 0) return bodies;
      for (const { Body = "", ReceiptHandle } of Messages) {
        bodies.push(Body);
        await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      }
    }
  };

  const lettersAt = (endpoint: SQSClient) =>
    sqsDeadLetters({
      client: endpoint,
      url: queues.deadLetterUrl,
      laneUrl: async (lane) => queues.urls[lane],
    });

  deadLettersContract(async () => {
    const { urls, deadLetterUrl } = queues;
    await client.send(new PurgeQueueCommand({ QueueUrl: deadLetterUrl }));
    const { deadLetter } = sqsQueue({ client, urls, deadLetterUrl, fair: true });
    return {
      deadLetters: lettersAt(client),
      add: (body, reason, lane) =>
        reason && lane
          ? deadLetter(lane, body, reason)
          : client
              .send(new SendMessageCommand({ QueueUrl: deadLetterUrl, MessageBody: body }))
              .then(() => undefined),
      drain,
      pass: () => undefined,
    };
  });

  test("a queue that cannot be reached is QUEUE_UNAVAILABLE", async () => {
    const nowhere = sqsClient("http://127.0.0.1:9");
    await expect(lettersAt(nowhere).receive(1, 1)).rejects.toMatchObject({ code: "QUEUE_UNAVAILABLE" });
    nowhere.destroy();
  });
});
