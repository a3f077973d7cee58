import { createServer } from "node:http";
import { DeleteMessageBatchCommand, ReceiveMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { listen, shut } from "../../local/listen.ts";
import { sqsClient } from "../../local/twin/emulators/queue.ts";
import { sqsQueue } from "../../shared/adapters/sqs/message-queue.ts";
import { LANES, type Lane } from "../../shared/protocol/lane.ts";
import type { UserId } from "../../shared/protocol/tag.ts";
import { memoryQueue } from "../../testing/memory/queue.ts";
import { aJob } from "../support/message.ts";
import { type CheckedQueues, startCheckedQueues } from "../support/queues.ts";
import { messageQueueContract, type QueueUnderTest } from "./message-queue.ts";

interface Call {
  readonly command: string;
  readonly input: object;
}

describe("a queue in memory", () =>
  messageQueueContract(async () => {
    const queue = memoryQueue();
    return {
      queue,
      bodies: async (lane) =>
        queue.lanes[lane].filter(({ delaySeconds }) => delaySeconds === 0).map(({ body }) => body),
      deadLetters: async () => queue.deadLetters,
    };
  }));

describe("a queue in SQS", () => {
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

  const receive = async (url: string) => {
    const { Messages = [] } = await client.send(
      new ReceiveMessageCommand({
        QueueUrl: url,
        MaxNumberOfMessages: 10,
        WaitTimeSeconds: 0,
        MessageAttributeNames: ["All"],
        MessageSystemAttributeNames: ["All"],
      }),
    );
    return Messages;
  };
  const takeAll = async (url: string) => {
    const all = [];
    for (let batch = await receive(url); batch.length > 0; batch = await receive(url)) {
      const Entries = batch.map(({ ReceiptHandle }, i) => ({ Id: String(i), ReceiptHandle }));
      await client.send(new DeleteMessageBatchCommand({ QueueUrl: url, Entries }));
      all.push(...batch);
    }
    return all;
  };
  const open = async (): Promise<QueueUnderTest & { calls: Call[] }> => {
    const { urls, deadLetterUrl } = queues;
    for (const url of [...LANES.map((lane) => urls[lane]), deadLetterUrl]) await takeAll(url);
    const calls: Call[] = [];
    const counting = sqsClient(queues.endpoint);
    onTestFinished(() => counting.destroy());
    counting.middlewareStack.add(
      (next, { commandName = "" }) =>
        (args) => {
          calls.push({ command: commandName, input: args.input });
          return next(args);
        },
      { step: "initialize" },
    );
    return {
      queue: sqsQueue({ client: counting, urls, deadLetterUrl, fair: true }),
      calls,
      bodies: async (lane) => (await takeAll(urls[lane])).map(({ Body = "" }) => Body),
      deadLetters: async () => {
        const textOf = (value?: { StringValue?: string | undefined }) => value?.StringValue ?? "";
        return (await takeAll(deadLetterUrl)).map(({ Body = "", MessageAttributes = {} }) => ({
          body: Body,
          reason: textOf(MessageAttributes["reason"]),
          lane: textOf(MessageAttributes["lane"]),
        }));
      },
    };
  };

  messageQueueContract(open);

  test.each([
    { entries: 10, bytes: 10, calls: 1 },
    { entries: 11, bytes: 10, calls: 2 },
    { entries: 10, bytes: 130_000, calls: 2 },
    { entries: 0, bytes: 0, calls: 0 },
  ])("$entries entries of $bytes bytes take $calls calls", async ({ entries, bytes, calls }) => {
    const under = await open();
    const job = aJob({ data: "x".repeat(bytes) });
    await under.queue.send(
      "normal",
      Array.from({ length: entries }, () => ({ job })),
    );
    expect(under.calls.map(({ command }) => command)).toEqual(Array(calls).fill("SendMessageBatchCommand"));
  });

  test("an entry belongs to the group of its producer, in letters that SQS takes", async () => {
    const { queue, calls } = await open();
    await queue.send("normal", [{ job: aJob({ producer: "王/a" as UserId }) }]);
    expect(calls[0]?.input).toMatchObject({ Entries: [{ MessageGroupId: "%E7%8E%8B%2Fa" }] });
  });

  test("hides what was received for as long as it is told", async () => {
    const { queue } = await open();
    await queue.send("normal", [{ job: aJob() }]);
    const [first] = await receive(queues.urls.normal);
    await queue.changeVisibility("normal", first?.ReceiptHandle ?? "", 0);
    const [second] = await receive(queues.urls.normal);
    expect(second?.MessageId).toBe(first?.MessageId);
    await queue.changeVisibility("normal", second?.ReceiptHandle ?? "", 43_200);
    expect(await receive(queues.urls.normal)).toEqual([]);
  });

  test("a reason holds no character that SQS refuses", async () => {
    const under = await open();
    await under.queue.deadLetter("normal", "{}", "\u0000\ud83d\uffff\u001fä");
    expect((await under.deadLetters())[0]?.reason).toBe("\ufffd\ufffd\ufffd\ufffdä");
  });

  test("an entry that SQS refuses is told apart from those that it takes in the same call, with its reason", async () => {
    const answer = {
      Successful: ["0", "2"].map((Id) => ({ Id, MessageId: Id })),
      Failed: [{ Id: "1", Code: "InternalError", Message: "try again", SenderFault: false }],
    };
    const server = createServer((_, response) => {
      response.writeHead(200, { "content-type": "application/x-amz-json-1.0" }).end(JSON.stringify(answer));
    });
    const client = sqsClient(`http://127.0.0.1:${await listen(server)}`);
    onTestFinished(async () => {
      client.destroy();
      await shut(server);
    });
    const urls = Object.fromEntries(LANES.map((lane) => [lane, lane])) as Record<Lane, string>;
    const heard: unknown[] = [];
    const queue = sqsQueue({ client, urls, fair: true, warn: (...said) => heard.push(said) });
    expect(
      await queue.send(
        "high",
        [aJob(), aJob(), aJob()].map((job) => ({ job })),
      ),
    ).toEqual([true, false, true]);
    expect(heard).toEqual([
      ["message not taken", { lane: "high", code: "InternalError", detail: "try again" }],
    ]);
  });

  test("a queue that cannot be reached takes nothing, and says so of everything else", async () => {
    const unreachable = sqsClient("http://127.0.0.1:1");
    onTestFinished(() => unreachable.destroy());
    const urls = Object.fromEntries(LANES.map((lane) => [lane, lane])) as Record<Lane, string>;
    const heard: unknown[] = [];
    const warn = (...said: unknown[]) => heard.push(said);
    const queue = sqsQueue({ client: unreachable, urls, deadLetterUrl: "dead", fair: true, warn });
    const failed = { name: "TagwireError", code: "QUEUE_UNAVAILABLE", cause: expect.any(Error) };
    expect(await queue.send("normal", [{ job: aJob() }, { job: aJob() }])).toEqual([false, false]);
    expect(heard).toEqual([["messages not taken", { lane: "normal", messages: 2 }, expect.any(Error)]]);
    await expect(queue.changeVisibility("normal", "handle", 1)).rejects.toMatchObject(failed);
    await expect(queue.deadLetter("normal", "{}", "why")).rejects.toMatchObject(failed);
    await expect(queue.backlog("normal")).rejects.toMatchObject(failed);
  });
});
