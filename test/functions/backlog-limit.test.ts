import { expect, test } from "vitest";
import { ingestHandler } from "../../functions/ingest.ts";
import type { Lane, Priority } from "../../shared/protocol/lane.ts";
import { settings } from "../../shared/settings/settings.ts";
import { tokenFor } from "../support/client.ts";
import { httpPeer } from "../support/peer.ts";
import { emulators, postOf } from "./support.ts";

const functions = emulators();

/** SQS that takes every message, while one of its queues holds eleven. */
const sqsWith = (full: string) =>
  httpPeer(({ body }) => {
    const { QueueUrl, Entries: entries } = body as { QueueUrl: string; Entries?: readonly { Id: string }[] };
    if (entries)
      return {
        status: 200,
        body: { Successful: entries.map(({ Id }) => ({ Id, MessageId: Id })), Failed: [] },
      };
    const waiting = QueueUrl === full ? "11" : "0";
    return { status: 200, body: { Attributes: { ApproximateNumberOfMessages: waiting } } };
  });

test.each<{ lane: Lane; priority: Priority; limit: number; status: number }>([
  { lane: "high", priority: "high", limit: 10, status: 429 },
  { lane: "normal", priority: "normal", limit: 10, status: 429 },
  { lane: "low", priority: "low", limit: 10, status: 429 },
  { lane: "fanout", priority: "normal", limit: 10, status: 429 },
  { lane: "high", priority: "high", limit: 11, status: 202 },
  { lane: "fanout", priority: "low", limit: 11, status: 202 },
])("if $limit messages may wait in lane $lane, where 11 do, a $priority one is answered $status", async ({
  lane,
  priority,
  limit,
  status,
}) => {
  const { runtime } = functions.runtime("ingest");
  const sqs = await sqsWith(functions.queues().urls[lane]);
  const SETTINGS = JSON.stringify(settings({ lanes: { [lane]: { backlogLimitMessages: limit } } }));
  const ingest = ingestHandler({
    ...runtime,
    env: { ...runtime.env, SETTINGS, AWS_ENDPOINT_URL_SQS: sqs.url },
  });
  const event = postOf(await tokenFor("shop"), { target: { topic: "orders" }, data: 1, priority });
  // A container's first request is taken unseen, and looks.
  expect(await ingest(event)).toMatchObject({ statusCode: 202 });
  expect(await ingest(event)).toMatchObject({ statusCode: status });
});
