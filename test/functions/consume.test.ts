import { DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import type { Context, SQSEvent } from "aws-lambda";
import { expect, onTestFinished, test } from "vitest";
import { consumeFunction } from "../../functions/aws/consume.ts";
import type { Runtime } from "../../functions/aws/runtime.ts";
import { SYSTEM_CLOCK } from "../../functions/runtime/system-clock.ts";
import { CREDENTIALS, REGION } from "../../local/twin/emulators/aws.ts";
import { dynamoConnections } from "../../shared/adapters/dynamodb/connections.ts";
import { dynamoQuotaBeats } from "../../shared/adapters/dynamodb/quota-beats.ts";
import { LANES, type Lane } from "../../shared/protocol/lane.ts";
import type { MessageId } from "../../shared/protocol/message.ts";
import type { ConnectionId, Tag, UserId } from "../../shared/protocol/tag.ts";
import type { Job } from "../../shared/receipts/job.ts";
import { bodyOf } from "../../shared/receipts/job-body.ts";
import { QUEUE_URL } from "../../shared/settings/queues.ts";
import { DEFAULTS } from "../../shared/settings/settings.ts";
import { aJob } from "../support/message.ts";
import { httpPeer } from "../support/peer.ts";
import { countsIn, emulators } from "./support.ts";

const functions = emulators();

/** Runs the function on one message, with this much time left (milliseconds). */
function runOf(runtime: Runtime, job: Job, left: number) {
  const { id } = job.message;
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
  return consumeFunction(runtime)(event, { getRemainingTimeInMillis: () => left } as Context);
}

/** Runs the function on one message to nobody. */
async function run(id: string, left: number) {
  const { runtime, lines } = functions.runtime("consume");
  const now = runtime.clock.now();
  const job = aJob({ id: id as MessageId, acceptanceId: id, expiresAt: now + 3_600_000 });
  const { batchItemFailures } = await runOf(runtime, job, left);
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

test("a run says how much of the quota is in use, by what the account had at the deploy", async () => {
  const clock = SYSTEM_CLOCK;
  const { runtime, lines } = functions.runtime("consume", { clock });
  const { endpoint, names } = functions.tables();
  const client = new DynamoDBClient({ region: REGION, credentials: CREDENTIALS, endpoint });
  onTestFinished(() => client.destroy());
  const expiresAt = clock.now() + 3_600_000;
  const connection = "c=" as ConnectionId;
  await dynamoConnections(client, names.connections).put({
    ...{
      connectionId: connection,
      connectedAt: clock.now(),
      user: "ann" as UserId,
      tags: ["everyone" as Tag],
      subscribe: [],
    },
    ...{ expiresAt, tokenExpiresAt: expiresAt },
  });
  const beats = dynamoQuotaBeats({ client, table: names.quotas, quota: DEFAULTS.quotaName, now: clock.now });
  const others = { sendsPerSecond: 5, claimedPerSecond: 5, weight: 1, isWaiting: false };
  await beats.beat({ id: "other", count: 1, ...others });
  // The gateway takes the frame once the run has told the other container of it.
  const peer = await httpPeer(async () => {
    await expect.poll(async () => (await beats.read()).entries).toHaveLength(2);
    return { status: 200 };
  });
  const env = { ...runtime.env, SOCKET_ENDPOINT: peer.url, QUOTA_REQUESTS_PER_SECOND: "10" };
  await runOf({ ...runtime, env }, aJob({ target: { connection }, expiresAt }), 60_000);
  const inUse = lines.map((line) => JSON.parse(line)).flatMap(({ QuotaInUse }) => QuotaInUse ?? []);
  expect(peer.requests).toHaveLength(1);
  expect(Math.max(...inUse)).toBeGreaterThanOrEqual(50);
});
