import { SendMessageBatchCommand } from "@aws-sdk/client-sqs";
import { expect, onTestFinished, test } from "vitest";
import type { Runtime } from "../../functions/aws/runtime.ts";
import { entryRow } from "../../local/engine/lanes/entry-row.ts";
import { openStore } from "../../local/engine/store/store.ts";
import type { Router } from "../../local/options.ts";
import { start } from "../../local/start.ts";
import { sqsClient } from "../../local/twin/emulators/queue.ts";
import { REAL_HANDLERS } from "../../local/twin/lambda/handlers.ts";
import type { MessageId } from "../../shared/protocol/message.ts";
import type { UserId } from "../../shared/protocol/tag.ts";
import { bodyOf } from "../../shared/receipts/job-body.ts";
import { temporary } from "../engine/store/temporary.ts";
import { connect, type TestSocket } from "../support/client.ts";
import { receipt } from "../support/http.ts";
import { aMessage } from "../support/message.ts";
import { patient } from "../support/patient.ts";
import { startUnkind } from "../support/unkind.ts";

/** A router with these bodies in a lane, past ingest, and a client that is connected while they are consumed. */
type Place = (bodies: readonly string[]) => Promise<{ readonly router: Router; readonly ann: TestSocket }>;

/** As anyone with access to the queue can. */
const intoQueue: Place = async (bodies) => {
  let env: Runtime["env"] = {};
  const router = await startUnkind({
    handlers: {
      consume: (runtime) => {
        env = runtime.env;
        return REAL_HANDLERS.consume(runtime);
      },
    },
  });
  onTestFinished(async () => void (await router.stop(0)));
  const ann = await connect(router, "ann");
  const client = sqsClient(env.AWS_ENDPOINT_URL_SQS ?? "");
  const Entries = bodies.map((MessageBody, i) => ({ Id: String(i), MessageBody }));
  const { Failed = [] } = await client.send(
    new SendMessageBatchCommand({ QueueUrl: env.QUEUE_URL_NORMAL, Entries }),
  );
  client.destroy();
  expect(Failed).toEqual([]);
  return { router, ann };
};

/** As anyone with access to the data of a router that is stopped can. */
const intoFolder: Place = async (bodies) => {
  const options = { data: temporary(), reconnectSeconds: 3_600, settings: patient() };
  const before = await start(options);
  await connect(before, "ann");
  await before.stop(0);
  const store = await openStore({ folder: options.data });
  const head = { lane: "normal", producer: "ann", receives: 1, sentAt: Date.now(), delayedUntil: 0 } as const;
  await store.write(
    bodies.map((body, key) => ({ table: "entries" as const, key, value: entryRow(head, body) })),
  );
  await store.close();
  const router = await start(options);
  onTestFinished(async () => void (await router.stop(0)));
  // It delivers nothing before she is back.
  return { router, ann: await connect(router, "ann") };
};

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

test.each([
  ["in an emulated account", intoQueue, 1],
  // A run of the process before may have begun it.
  ["on one machine", intoFolder, 2],
] as const)("%s: bodies that cannot be parsed are dead-lettered at once with their reason, and their neighbours are delivered", async (_name, place, attempts) => {
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
  const { router, ann } = await place([good("first", 1), ...bad.map(({ body }) => body), good("last", 2)]);
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
    attempts,
  });
  expect(await receipt(router, "last", { producer: "ann" })).toMatchObject({
    state: "delivered",
    attempts,
  });
  expect(router.spy.runs().flatMap(({ failed }) => failed)).toEqual([]);
  expect(ann.buffered()).toEqual([]);
  await ann.close();
});
