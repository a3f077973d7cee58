import { DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import type { Context, SQSEvent } from "aws-lambda";
import { expect, test } from "vitest";
import { consumeHandler } from "../../functions/consume.ts";
import { CREDENTIALS, REGION } from "../../local/emulators/aws.ts";
import type { MessageId } from "../../shared/protocol/message.ts";
import { bodyOf } from "../../shared/receipts/job-body.ts";
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
  const { batchItemFailures } = await consumeHandler(runtime)(event, context);
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
