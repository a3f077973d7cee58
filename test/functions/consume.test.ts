import { DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import type { Context, SQSEvent } from "aws-lambda";
import { expect, test } from "vitest";
import { consumeFunction } from "../../functions/aws/consume.ts";
import { CREDENTIALS, REGION } from "../../local/twin/emulators/aws.ts";
import { LANES, type Lane } from "../../shared/protocol/lane.ts";
import type { MessageId } from "../../shared/protocol/message.ts";
import { bodyOf } from "../../shared/receipts/job-body.ts";
import { QUEUE_URL } from "../../shared/settings/queues.ts";
import { DEFAULTS } from "../../shared/settings/settings.ts";
import { aJob } from "../support/message.ts";
import { countsIn, emulators } from "./support.ts";

const functions = emulators();

/** Runs the function on one message to nobody, with this much time left (milliseconds). */
async function run(id: string, left: number) {
  const { runtime, lines } = functions.runtime("consume");
  const now = runtime.clock.now();
  const job = aJob({ id: id as MessageId, acceptanceId: id, expiresAt: now + 3_600_000 });
  const record = {
    messageId: `entry-${id}`,
    receiptHandle: `handle-${id}`,
    body: bodyOf(job),
    attributes: { ApproximateReceiveCount: "1" },
    eventSourceARN: new URL(functions.queues().urls.normal).pathname.replace(
      /^.*\//,
      `arn:aws:sqs:${REGION}:0:`,
    ),
  };
  const event = { Records: [record] } as unknown as SQSEvent;
  const context = { getRemainingTimeInMillis: () => left } as Context;
  const { batchItemFailures } = await consumeFunction(runtime)(event, context);
  return { kept: batchItemFailures.map(({ itemIdentifier }) => itemIdentifier), lines, now };
}

test("a run ends when its context says so: with less than the reserve left it delivers nothing", async () => {
  expect((await run("late", DEFAULTS.advanced.reserveMilliseconds - 1)).kept).toEqual(["entry-late"]);
  expect((await run("early", DEFAULTS.advanced.reserveMilliseconds + 30_000)).kept).toEqual([]);
});

test("a run writes its metrics before it ends", async () => {
  const { lines } = await run("counted", 60_000);
  expect(countsIn(lines)).toMatchObject({ Claims: 1, Endings: 1 });
});

test("a receipt is kept for its days, to the second", async () => {
  const { now } = await run("kept", 60_000);
  const { endpoint, names } = functions.tables();
  const client = new DynamoDBClient({ region: REGION, credentials: CREDENTIALS, endpoint });
  const { Items = [] } = await client.send(new ScanCommand({ TableName: names.receipts }));
  client.destroy();
  const times = Items.filter(({ message }) => message?.S?.endsWith("kept")).map(({ ttl }) => Number(ttl?.N));
  expect(new Set(times)).toEqual(new Set([Math.floor(now / 1000) + DEFAULTS.receiptRetentionDays * 86_400]));
});

test.each(
  LANES,
)("a message of lane %s is known by the address of its queue, whatever CloudFormation calls it", async (lane) => {
  const { runtime } = functions.runtime("consume");
  const called = (name: string) => `Shop-RouterLanes-${name}-9uHwRqF3mdXg`;
  // The names are those of other lanes: a name says nothing.
  const others: Readonly<Record<Lane, Lane>> = {
    high: "low",
    normal: "fanout-low",
    low: "normal",
    "fanout-high": "high",
    "fanout-normal": "fanout-high",
    "fanout-low": "fanout-normal",
  };
  const urls = LANES.map((each) => [
    QUEUE_URL[each],
    `https://sqs.eu-west-1.amazonaws.com/1/${called(others[each])}`,
  ]);
  const record = {
    messageId: `unreadable-${lane}`,
    receiptHandle: "handle",
    body: `unreadable in ${lane}`,
    attributes: { ApproximateReceiveCount: "1" },
    eventSourceARN: `arn:aws:sqs:eu-west-1:1:${called(others[lane])}`,
  };
  const env = { ...runtime.env, ...Object.fromEntries(urls) };
  await consumeFunction({ ...runtime, env })(
    { Records: [record] } as unknown as SQSEvent,
    { getRemainingTimeInMillis: () => 60_000 } as Context,
  );
  const dead = (await functions.queues().deadLetters()).find(({ body }) => body === record.body);
  expect(dead?.attributes).toMatchObject({ lane });
});
