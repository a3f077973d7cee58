import { SendMessageBatchCommand } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Runtime } from "../../functions/aws/runtime.ts";
import type { Router } from "../../local/options.ts";
import { sqsClient } from "../../local/twin/emulators/queue.ts";
import { REAL_HANDLERS } from "../../local/twin/lambda/handlers.ts";
import type { MessageId } from "../../shared/protocol/message.ts";
import type { UserId } from "../../shared/protocol/tag.ts";
import { bodyOf } from "../../shared/receipts/job-body.ts";
import { connect } from "../support/client.ts";
import { receipt } from "../support/http.ts";
import { aMessage } from "../support/message.ts";
import { startUnkind } from "../support/unkind.ts";

let router: Router;
let env: Runtime["env"];
beforeAll(async () => {
  router = await startUnkind({
    handlers: {
      consume: (runtime) => {
        env = runtime.env;
        return REAL_HANDLERS.consume(runtime);
      },
    },
  });
});
afterAll(() => router.stop(0));

const good = (id: string, data: unknown) => {
  const message = aMessage({
    id: id as MessageId,
    acceptanceId: id,
    target: { user: "ann" as UserId },
    data,
    time: new Date().toISOString(),
    expiresAt: Date.now() + 3_600_000,
  });
  return bodyOf({ message });
};

/** Puts bodies into a lane past ingest, as anyone with access to the queue can. */
async function put(...bodies: string[]): Promise<void> {
  const client = sqsClient(env.AWS_ENDPOINT_URL_SQS ?? "");
  const Entries = bodies.map((MessageBody, i) => ({ Id: String(i), MessageBody }));
  const { Failed = [] } = await client.send(
    new SendMessageBatchCommand({ QueueUrl: env.QUEUE_URL_NORMAL, Entries }),
  );
  client.destroy();
  expect(Failed).toEqual([]);
}

test("bodies that cannot be parsed are dead-lettered at once with their reason, and their neighbours are delivered", async () => {
  const ann = await connect(router, "ann");
  const deep = `${"[".repeat(20_000)}${"]".repeat(20_000)}`;
  const bad = [
    { body: "not json", reason: /^MESSAGE_INVALID: the text is not JSON$/ },
    { body: "null", reason: /^MESSAGE_INVALID: the value must be Object/ },
    { body: '{"target":{"user":"ann"},"data":1}', reason: /^MESSAGE_INVALID: \/message/ },
    {
      body: good("mars", 1).replace('{"user":"ann"}', '{"planet":"mars"}'),
      reason: /\/message\/target must be/,
    },
    { body: good("deep", 1).replace('"data":1', `"data":${deep}`), reason: /\/message\/data must nest/ },
    {
      body: good("time", 1).replace(/"time":"[^"]+"/, '"time":"2026-02-30T00:00:00Z"'),
      reason: /\/message\/time/,
    },
    {
      body: good("odd", 1).replace('"producer":"ann"', '"producer":"\\u0000\\ud800"'),
      reason: /\/message\/producer/,
    },
  ];
  await put(good("first", 1), ...bad.map(({ body }) => body), good("last", 2));
  const got = [await ann.next(), await ann.next()];
  expect(got).toEqual(
    expect.arrayContaining([expect.objectContaining({ data: 1 }), expect.objectContaining({ data: 2 })]),
  );
  await router.spy.idle();
  const deadLetters = await router.spy.deadLetters();
  expect(deadLetters.map(({ body }) => body).toSorted()).toEqual(bad.map(({ body }) => body).toSorted());
  for (const { body, reason } of bad) {
    const attributes = deadLetters.find((deadLetter) => deadLetter.body === body)?.attributes;
    expect(attributes).toMatchObject({ lane: "normal", reason: expect.stringMatching(reason) });
  }
  expect(await receipt(router, "first", { producer: "ann" })).toMatchObject({
    state: "delivered",
    attempts: 1,
  });
  expect(await receipt(router, "last", { producer: "ann" })).toMatchObject({
    state: "delivered",
    attempts: 1,
  });
  expect(router.spy.runs().flatMap(({ failed }) => failed)).toEqual([]);
  expect(ann.buffered()).toEqual([]);
  await ann.close();
});
