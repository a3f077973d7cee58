import { ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { expect, onTestFinished, test } from "vitest";
import { ingestHandler } from "../../functions/ingest.ts";
import { sqsClient } from "../../local/emulators/queue.ts";
import { tokenFor } from "../support/client.ts";
import { emulators, postOf } from "./support.ts";

const retentionDays = 2;
const functions = emulators({ retentionDays });

test("a message without a deadline expires an hour before its lane would drop it", async () => {
  const { runtime } = functions.runtime("ingest");
  const event = postOf(await tokenFor("shop"), { target: { topic: "orders" }, data: 1 });
  expect(await ingestHandler(runtime)(event)).toMatchObject({ statusCode: 202 });
  const client = sqsClient(functions.queues().endpoint);
  onTestFinished(() => client.destroy());
  const { Messages: [received] = [] } = await client.send(
    new ReceiveMessageCommand({ QueueUrl: functions.queues().urls.normal }),
  );
  const { expiresAt } = JSON.parse(String(received?.Body)).message;
  const dropped = runtime.clock.now() + retentionDays * 86_400_000;
  expect(new Date(expiresAt).getTime()).toBe(dropped - 3_600_000);
});
