import {
  ChangeMessageVisibilityCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
} from "@aws-sdk/client-sqs";
import type { SQSEvent } from "aws-lambda";
import { expect, onTestFinished, test, vi } from "vitest";
import type { Runtime } from "../../functions/aws/runtime.ts";
import type { StartOptions } from "../../local/options.ts";
import { sqsClient, startQueues } from "../../local/twin/emulators/queue.ts";
import type { Handler, Handlers } from "../../local/twin/lambda/handlers.ts";
import { startPoller } from "../../local/twin/lambda/poller.ts";
import { LANES, type Lane } from "../../shared/protocol/lane.ts";
import { QUEUE_URL } from "../../shared/settings/queues.ts";
import { DEFAULTS } from "../../shared/settings/settings.ts";
import { startTiny } from "./support.ts";

// These wait for work to be done, never for a time: on a busy machine the work takes ten times as long.
vi.setConfig({ testTimeout: 120_000 });
const PATIENT = { timeout: 100_000 };

type Consume = Handler<SQSEvent, { batchItemFailures: { itemIdentifier: string }[] }>;

async function startWithQueue(consume: Handlers["consume"], options: StartOptions = {}) {
  let runtime: Runtime | undefined;
  const remember: Handlers["consume"] = (given) => {
    runtime = given;
    return consume(given);
  };
  const router = await startTiny({ consume: remember }, options);
  const client = sqsClient(runtime?.env.AWS_ENDPOINT_URL_SQS ?? "");
  onTestFinished(() => client.destroy());
  const url = (lane: Lane) => runtime?.env[QUEUE_URL[lane]];
  const send = (lane: Lane, bodies: readonly string[]) =>
    client.send(
      new SendMessageBatchCommand({
        QueueUrl: url(lane),
        Entries: bodies.map((MessageBody, i) => ({ Id: String(i), MessageBody, MessageGroupId: "dev" })),
      }),
    );
  /**
   * Makes received messages visible again. The visibility timeout itself is minutes long in these tests: a short one
   * runs out on a busy machine before the poller has deleted what is done, and then a good message comes again.
   */
  const show = (lane: Lane, records: SQSEvent["Records"]) =>
    Promise.all(
      records.map(({ receiptHandle: ReceiptHandle }) =>
        client.send(
          new ChangeMessageVisibilityCommand({ QueueUrl: url(lane), ReceiptHandle, VisibilityTimeout: 0 }),
        ),
      ),
    );
  return { ...router, client, url, send, show };
}

const bodies = (event: SQSEvent) => event.Records.map(({ body }) => body);
const numbered = (count: number) => Array.from({ length: count }, (_, i) => String(i));

/** A gate that opens when so many are waiting at it. */
function gate(count: number) {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  let waiting = 0;
  return () => {
    if (++waiting === count) open();
    return opened;
  };
}

test("a message reaches the consumer as an SQS record and is deleted after it", async () => {
  const events: SQSEvent[] = [];
  const { client, url, spy } = await startWithQueue(() => async (event) => {
    events.push(event);
    return { batchItemFailures: [] };
  });
  const MessageAttributes = { reason: { DataType: "String", StringValue: "because" } };
  await client.send(
    new SendMessageCommand({
      QueueUrl: url("high"),
      MessageBody: "hello",
      MessageAttributes,
    }),
  );
  await spy.idle(PATIENT);
  expect(events).toHaveLength(1);
  expect(events[0]?.Records[0]).toMatchObject({
    body: "hello",
    eventSource: "aws:sqs",
    eventSourceARN: "arn:aws:sqs:us-east-1:000000000000:tagwire-high",
    attributes: { ApproximateReceiveCount: "1", SentTimestamp: expect.any(String) },
    messageAttributes: { reason: { stringValue: "because", dataType: "String" } },
  });
});

test("each lane keeps to its concurrency and batch size, and all to their sum", async () => {
  const all = gate(12);
  const { send, spy } = await startWithQueue(
    () => async () => {
      await all();
      return { batchItemFailures: [] };
    },
    {
      settings: {
        lanes: {
          high: { concurrency: 2 },
          normal: { concurrency: 2 },
          low: { concurrency: 2 },
          "fanout-high": { concurrency: 2 },
          "fanout-normal": { concurrency: 2 },
          "fanout-low": { concurrency: 2 },
        },
        advanced: {
          batchSize: { high: 3, normal: 10, low: 1, "fanout-high": 4, "fanout-normal": 2, "fanout-low": 1 },
        },
      },
    },
  );
  await Promise.all(LANES.flatMap((lane) => numbered(2).map(() => send(lane, numbered(10)))));
  await spy.idle(PATIENT);
  expect(spy.peaks()).toMatchObject({ runs: 12, lanes: Object.fromEntries(LANES.map((lane) => [lane, 2])) });
  const most = (lane: Lane) =>
    Math.max(...spy.events().map((e) => (e.kind === "run-started" && e.lane === lane ? e.messages : 0)));
  expect(LANES.map(most)).toEqual([3, 10, 1, 4, 2, 1]);
});

test("only the messages that the consumer names come again", async () => {
  const seen: string[][] = [];
  const consume: Consume = async (event) => {
    seen.push(bodies(event));
    const bad = event.Records.filter(
      ({ body, attributes }) => body === "bad" && attributes.ApproximateReceiveCount === "1",
    );
    await show("normal", bad);
    return { batchItemFailures: bad.map(({ messageId }) => ({ itemIdentifier: messageId })) };
  };
  const { send, spy, show } = await startWithQueue(() => consume);
  await send("normal", ["good", "bad", "fine"]);
  await spy.idle(PATIENT);
  expect(seen.flat().sort()).toEqual(["bad", "bad", "fine", "good"]);
  expect(seen.at(-1)).toEqual(["bad"]);
});

test.each([
  { why: "names a message that is not in it", answer: { batchItemFailures: [{ itemIdentifier: "other" }] } },
  { why: "names a message by an empty id", answer: { batchItemFailures: [{ itemIdentifier: "" }] } },
  { why: "has a failure without an id", answer: { batchItemFailures: [{ id: "x" }] } },
  { why: "is not a list", answer: { batchItemFailures: "all" } },
  { why: "is a crash", answer: "crash" },
])("a batch comes again as a whole when its answer $why", async ({ answer }) => {
  const received: SQSEvent["Records"] = [];
  const consume = async (event: SQSEvent) => {
    received.push(...event.Records);
    if (event.Records.some(({ attributes }) => attributes.ApproximateReceiveCount === "2")) return null;
    if (answer === "crash") throw new Error("boom");
    return answer;
  };
  const { send, spy, show } = await startWithQueue(() => consume as unknown as Consume);
  await send("low", ["a", "b"]);
  const { failed } = await spy.waitFor({ kind: "run-ended" }, PATIENT);
  expect(failed).toHaveLength(2);
  await show("low", received);
  await spy.idle(PATIENT);
  expect(received.map(({ body }) => body).sort()).toEqual(["a", "a", "b", "b"]);
});

test("a run that outlives its timeout counts as failed, and knew how long it had", async () => {
  const left: number[] = [];
  const received: SQSEvent["Records"] = [];
  const consume: Handlers["consume"] = () => async (event, context) => {
    received.push(...event.Records);
    left.push(context.getRemainingTimeInMillis());
    return left.length > 1 ? { batchItemFailures: [] } : new Promise<never>(() => {});
  };
  const { send, spy, show } = await startWithQueue(consume, {
    settings: {
      advanced: {
        sendTimeoutMilliseconds: 500,
        reserveMilliseconds: 2_000,
        functions: { consume: { timeoutSeconds: 3 } },
      },
    },
  });
  await send("high", ["a"]);
  expect(await spy.waitFor({ kind: "run-ended" }, PATIENT)).toMatchObject({ outcome: "timed-out" });
  await show("high", received);
  await spy.idle(PATIENT);
  expect(left).toHaveLength(2);
  expect(left[0]).toBeGreaterThan(0);
  expect(left[0]).toBeLessThanOrEqual(3_000);
});

test("reserved concurrency holds over all lanes, and what it turns away runs later", async () => {
  const seen: string[] = [];
  const consume: Consume = async (event) => {
    seen.push(...bodies(event));
    return { batchItemFailures: [] };
  };
  const { send, spy } = await startWithQueue(() => consume, { limits: { reservedConcurrency: 1 } });
  await Promise.all([send("high", numbered(10)), send("low", numbered(10)), send("normal", numbered(10))]);
  await spy.idle(PATIENT);
  expect(seen).toHaveLength(30);
  expect(spy.peaks().runs).toBe(1);
});

test("a message that fails every time becomes a dead letter with its attributes", async () => {
  const consume: Consume = async ({ Records }) => {
    await show("low", Records);
    return { batchItemFailures: Records.map(({ messageId }) => ({ itemIdentifier: messageId })) };
  };
  const { client, url, spy, show } = await startWithQueue(() => consume, {
    limits: { maxReceives: 1 },
  });
  const MessageAttributes = { reason: { DataType: "String", StringValue: "because" } };
  await client.send(new SendMessageCommand({ QueueUrl: url("low"), MessageBody: "bad", MessageAttributes }));
  await spy.idle(PATIENT);
  expect(await spy.deadLetters()).toMatchObject([{ body: "bad", attributes: { reason: "because" } }]);
  expect(spy.runs()).toHaveLength(1);
});

test("a batch that a throttle turns away is offered again until its visibility timeout, which uses up a receive", async () => {
  const visibilitySeconds = 1;
  const { advanced } = DEFAULTS;
  const consumed = { ...advanced.functions.consume, timeoutSeconds: visibilitySeconds };
  const functions = { ...advanced.functions, consume: consumed };
  const queues = await startQueues({
    ...DEFAULTS,
    advanced: { ...advanced, visibilityFactor: 1, functions },
  });
  const client = sqsClient(queues.endpoint);
  await client.send(new SendMessageCommand({ QueueUrl: queues.urls.low, MessageBody: "hello" }));
  let offers = 0;
  let shown = (_: SQSEvent) => {};
  const first = new Promise<SQSEvent>((resolve) => {
    shown = resolve;
  });
  const start = performance.now();
  const poller = startPoller(
    {
      client,
      consume: {
        hasRoom: () => {
          offers += 1;
          return performance.now() - start > 2_500 * visibilitySeconds;
        },
        invoke: async (event) => {
          shown(event);
          return { kind: "returned", value: { batchItemFailures: [] } };
        },
      },
      observer: { record: () => {} },
      write: () => {},
    },
    { lane: "low", url: queues.urls.low, visibilitySeconds, concurrency: 2, batchSize: 10 },
  );
  onTestFinished(async () => {
    await poller.stop();
    client.destroy();
    await queues.stop();
  });
  const [record] = (await first).Records;
  expect(Number(record?.attributes.ApproximateReceiveCount)).toBeGreaterThan(1);
  expect(offers).toBeGreaterThan(3);
});
