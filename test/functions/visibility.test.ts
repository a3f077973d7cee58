import { DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import type { Context, SQSEvent } from "aws-lambda";
import { expect, onTestFinished, test } from "vitest";
import { consumeHandler } from "../../functions/consume.ts";
import { CREDENTIALS, REGION } from "../../local/emulators/aws.ts";
import { bodyOf } from "../../shared/receipts/job-body.ts";
import { visibilitySeconds } from "../../shared/settings/derived.ts";
import { CLOCK_MARGIN } from "../../shared/settings/policy.ts";
import { DEFAULTS } from "../../shared/settings/settings.ts";
import { aJob } from "../support/message.ts";
import { emulators } from "./support.ts";

const functions = emulators();

test("a run that dies counts as dead once its message has been hidden for the lane's visibility timeout", async () => {
  const { runtime } = functions.runtime("consume");
  const now = runtime.clock.now();
  const record = {
    messageId: "entry",
    receiptHandle: "handle",
    body: bodyOf(aJob({ expiresAt: now + 3_600_000 })),
    attributes: { ApproximateReceiveCount: "1" },
    eventSourceARN: "arn:aws:sqs:eu-west-1:0:any",
  };
  await consumeHandler(runtime)(
    { Records: [record] } as unknown as SQSEvent,
    { getRemainingTimeInMillis: () => 60_000 } as Context,
  );
  const { endpoint, names } = functions.tables();
  const client = new DynamoDBClient({ region: REGION, credentials: CREDENTIALS, endpoint });
  onTestFinished(() => client.destroy());
  const { Items = [] } = await client.send(new ScanCommand({ TableName: names.receipts }));
  const returnsAt = now + visibilitySeconds(DEFAULTS) * 1000 - CLOCK_MARGIN;
  expect(Items.map((row) => Number(row["returnsAt"]?.N))).toEqual([returnsAt]);
});
