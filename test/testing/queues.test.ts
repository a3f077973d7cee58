import {
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { type Queues, sqsClient, startQueues } from "../../local/twin/emulators/queue.ts";
import { settings } from "../../shared/settings/settings.ts";
import { startFront } from "../../testing/front.ts";
import { type RepeatsOptions, repeats } from "../../testing/queues/repeats.ts";
import { seeded } from "../../testing/random.ts";
import { type Upstream, upstream } from "../../testing/upstream.ts";

let queues: Queues;
let behind: Upstream;
beforeAll(async () => {
  queues = await startQueues(settings());
  behind = upstream(queues.endpoint);
});
afterAll(async () => {
  behind.stop();
  await queues.stop();
});

/** A queue that misbehaves, with some messages in it. */
async function filled(options: Partial<RepeatsOptions>, bodies: readonly string[]) {
  const front = await startFront([repeats({ random: seeded(7), ...options })], behind.call);
  const client: SQSClient = sqsClient(front.url);
  const QueueUrl = queues.urls.normal;
  onTestFinished(async () => {
    for (const { ReceiptHandle } of await receive()) {
      await sqsClient(queues.endpoint).send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    }
    client.destroy();
    await front.stop();
  });
  const receive = async (): Promise<Message[]> => {
    const { Messages = [] } = await client.send(
      new ReceiveMessageCommand({
        ...{ QueueUrl, MaxNumberOfMessages: 10, MessageSystemAttributeNames: ["All"] },
      }),
    );
    return Messages;
  };
  for (const MessageBody of bodies) await client.send(new SendMessageCommand({ QueueUrl, MessageBody }));
  return { client, QueueUrl, receive };
}

const bodiesOf = (messages: readonly Message[]) => messages.map(({ Body }) => Body);

test("a message is in its batch twice", async () => {
  const { receive } = await filled({ twice: 1 }, ["a", "b"]);
  expect(bodiesOf(await receive())).toEqual(["a", "a", "b", "b"]);
});

test("a batch is never larger than asked for", async () => {
  const bodies = [..."abcdefgh"];
  const { receive } = await filled({ twice: 1 }, bodies);
  const got = bodiesOf(await receive());
  expect(got).toHaveLength(10);
  expect(new Set(got)).toEqual(new Set(bodies));
});

test("messages come in another order than they were sent in", async () => {
  const bodies = [..."abcdefgh"];
  const { receive } = await filled({ disorder: true }, bodies);
  const got = bodiesOf(await receive());
  expect(got).not.toEqual(bodies);
  expect(got.toSorted()).toEqual(bodies);
});

test("a receive that comes to nothing counts", async () => {
  let used = 1;
  const { receive } = await filled({ usedUp: 0.5, random: () => (used-- > 0 ? 0 : 0.9) }, ["a"]);
  expect(await receive()).toEqual([]);
  const [message] = await receive();
  expect(message?.Attributes?.["ApproximateReceiveCount"]).toBe("2");
});

test.each([
  "one by one",
  "in a batch",
])("a delete %s that has no effect says that it had one", async (how) => {
  let late = 1;
  const { client, QueueUrl, receive } = await filled(
    { lateDelete: 0.5, random: () => (late-- > 0 ? 0 : 0.9) },
    ["a"],
  );
  const remove = async ([message]: readonly Message[]) => {
    const ReceiptHandle = message?.ReceiptHandle;
    if (how === "one by one") {
      await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      return;
    }
    const Entries = [{ Id: "0", ReceiptHandle }];
    const { Successful } = await client.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
    expect(Successful).toEqual([{ Id: "0" }]);
  };
  await remove(await receive());
  const again = await receive();
  expect(bodiesOf(again)).toEqual(["a"]);
  await remove(again);
  expect(await receive()).toEqual([]);
});
