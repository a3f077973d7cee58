import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Context, SQSEvent } from "aws-lambda";
import { expect, onTestFinished, test } from "vitest";
import { consumeFunction } from "../../functions/aws/consume.ts";
import { ingestFunction } from "../../functions/aws/ingest.ts";
import { receiptsFunction } from "../../functions/aws/receipts.ts";
import { settingsOf } from "../../functions/aws/settings.ts";
import { CREDENTIALS, REGION } from "../../local/twin/emulators/aws.ts";
import { dynamoQuotaBeats } from "../../shared/adapters/dynamodb/quota-beats.ts";
import type { Lane, Priority } from "../../shared/protocol/lane.ts";
import { CONNECTION_SECONDS } from "../../shared/protocol/limits.ts";
import { bodyOf } from "../../shared/receipts/job-body.ts";
import { visibilitySeconds } from "../../shared/settings/derived.ts";
import { CLOCK_MARGIN } from "../../shared/settings/policy.ts";
import { DEFAULTS, settings } from "../../shared/settings/settings.ts";
import { tokenFor } from "../support/client.ts";
import { aJob } from "../support/message.ts";
import { socketFunction } from "../support/socket-function.ts";
import { emulators, postOf, sqsPeer } from "./support.ts";

/* What the deployment says reaches the function that it is for. */

const retentionDays = 2;
const functions = emulators({ retentionDays, receiptRetentionDays: 30, fairQueues: false });
const ORDER = { target: { topic: "orders" }, data: 1 };

test("a token of a secret grants nothing under tagwire if the router is told another name of the claim", async () => {
  const { runtime } = functions.runtime("ingest");
  const TOKENS = JSON.stringify({ secretId: "tokens", claim: "https://acme.example/tagwire" });
  const event = postOf(await tokenFor("shop"), ORDER);
  expect(await ingestFunction(runtime)(event)).toMatchObject({ statusCode: 202 });
  const told = ingestFunction({ ...runtime, env: { ...runtime.env, TOKENS } });
  expect(await told(event)).toMatchObject({ statusCode: 403 });
});

test("a message without a deadline expires an hour before its lane would drop it", async () => {
  const { runtime } = functions.runtime("ingest");
  const { url, entries } = await sqsPeer();
  const event = postOf(await tokenFor("shop"), ORDER);
  const ingest = ingestFunction({ ...runtime, env: { ...runtime.env, AWS_ENDPOINT_URL_SQS: url } });
  expect(await ingest(event)).toMatchObject({ statusCode: 202 });
  const { expiresAt } = JSON.parse(String(entries()[0]?.MessageBody)).message;
  const dropped = runtime.clock.now() + retentionDays * 86_400_000;
  expect(new Date(expiresAt).getTime()).toBe(dropped - 3_600_000);
});

test.each<{ lane: Lane; priority: Priority; limit: number; status: number }>([
  { lane: "high", priority: "high", limit: 10, status: 429 },
  { lane: "normal", priority: "normal", limit: 10, status: 429 },
  { lane: "low", priority: "low", limit: 10, status: 429 },
  { lane: "fanout-normal", priority: "normal", limit: 10, status: 429 },
  { lane: "high", priority: "high", limit: 11, status: 202 },
  { lane: "fanout-normal", priority: "low", limit: 11, status: 202 },
])("if $limit messages may wait in lane $lane, where 11 do, a $priority one is answered $status", async ({
  lane,
  priority,
  limit,
  status,
}) => {
  const { runtime } = functions.runtime("ingest");
  const full = functions.queues().urls[lane];
  const sqs = await sqsPeer({ waiting: (queueUrl) => (queueUrl === full ? 11 : 0) });
  const SETTINGS = JSON.stringify(settings({ lanes: { [lane]: { backlogLimitMessages: limit } } }));
  const ingest = ingestFunction({
    ...runtime,
    env: { ...runtime.env, SETTINGS, AWS_ENDPOINT_URL_SQS: sqs.url },
  });
  const event = postOf(await tokenFor("shop"), { ...ORDER, priority });
  // A container's first request is taken unseen, and looks.
  expect(await ingest(event)).toMatchObject({ statusCode: 202 });
  expect(await ingest(event)).toMatchObject({ statusCode: status });
});

test.each([
  { others: "all wait for turns", isWaiting: true, read: "", rate: 100 },
  { others: "nobody waits for a turn", isWaiting: false, read: "", rate: 7_760 },
  { others: "nobody waits for a turn", isWaiting: false, read: "2500", rate: 1_940 },
])("a producer waits as long as the jobs of its priority need, where $others and the deploy read a quota of '$read'", async ({
  isWaiting,
  read,
  rate,
}) => {
  const { runtime } = functions.runtime("ingest");
  const { endpoint, names } = functions.tables();
  const client = new DynamoDBClient({ region: REGION, credentials: CREDENTIALS, endpoint });
  onTestFinished(() => client.destroy());
  const options = { client, table: names.quotas, quota: DEFAULTS.quotaName, now: () => runtime.clock.now() };
  const entry = { id: "busy", sendsPerSecond: 100, claimedPerSecond: 100, weight: 1, isWaiting };
  await dynamoQuotaBeats(options).beat({ ...entry, count: runtime.clock.now() });
  const full = functions.queues().urls["fanout-low"];
  const { url } = await sqsPeer({ waiting: (queueUrl) => (queueUrl === full ? 40_000 : 0) });
  const env = { ...runtime.env, AWS_ENDPOINT_URL_SQS: url, QUOTA_REQUESTS_PER_SECOND: read };
  const ingest = ingestFunction({ ...runtime, env });
  const event = async (priority: Priority) => postOf(await tokenFor("shop"), { ...ORDER, priority });
  expect(await ingest(await event("low"))).toMatchObject({ statusCode: 202 });
  // 40,000 jobs of 2,500 connections.
  const headers = { "retry-after": String(Math.ceil(100_000_000 / rate)) };
  expect(await ingest(await event("low"))).toMatchObject({ statusCode: 429, headers });
  expect(await ingest(await event("high"))).toMatchObject({ statusCode: 202 });
});

test.each([
  { read: "2500", counts: 2_500 },
  { read: "40000", counts: 40_000 },
  { read: "", counts: DEFAULTS.quotaRequestsPerSecond },
  { read: undefined, counts: DEFAULTS.quotaRequestsPerSecond },
])("where the deploy read a quota of $read, sends share $counts requests a second", ({ read, counts }) => {
  const QUOTA = read === undefined ? {} : { QUOTA_REQUESTS_PER_SECOND: read };
  expect(settingsOf({ SETTINGS: JSON.stringify(DEFAULTS), ...QUOTA }).quotaRequestsPerSecond).toBe(counts);
});

test("a message is in nobody's group where queues are not to be fair", async () => {
  const { url, entries } = await sqsPeer();
  const { runtime } = functions.runtime("ingest");
  const event = postOf(await tokenFor("producer"), ORDER);
  const answer = await ingestFunction({ ...runtime, env: { ...runtime.env, AWS_ENDPOINT_URL_SQS: url } })(
    event,
  );
  expect(answer).toMatchObject({ statusCode: 202 });
  expect(entries()).toHaveLength(1);
  expect(entries()[0]).not.toHaveProperty("MessageGroupId");
});

test("the receipt of a cancel before any run is kept for its days, to the second", async () => {
  const { runtime } = functions.runtime("receipts");
  const answer = await receiptsFunction(runtime)({
    headers: { authorization: `Bearer ${await tokenFor("shop")}` },
    requestContext: { http: { method: "DELETE" } },
    pathParameters: { id: "early" },
  });
  expect(answer).toMatchObject({ statusCode: 200 });
  const rows = await functions.scan("receipts");
  const until = Math.floor(runtime.clock.now() / 1000) + 30 * 86_400;
  const own = rows.filter((row) => JSON.stringify(row).includes("early"));
  expect(own.map(({ ttl }) => Number(ttl?.N))).toEqual([until]);
});

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
  await consumeFunction(runtime)(
    { Records: [record] } as unknown as SQSEvent,
    { getRemainingTimeInMillis: () => 60_000 } as Context,
  );
  const rows = await functions.scan("receipts");
  const returnsAt = now + visibilitySeconds(DEFAULTS) * 1000 - CLOCK_MARGIN;
  expect(rows.flatMap((row) => (row["returnsAt"] ? [Number(row["returnsAt"].N)] : []))).toEqual([returnsAt]);
});

test("the rows of a connection outlive it by the margin, for clocks that differ", async () => {
  const { connect, scan, connectedAt } = await socketFunction();
  expect(await connect("c=", { exp: Math.floor(connectedAt / 1000) + 86_400 })).toMatchObject({
    statusCode: 200,
  });
  const seconds = CONNECTION_SECONDS + DEFAULTS.advanced.rowMarginSeconds;
  const until = Math.floor((connectedAt + seconds * 1000) / 1000);
  const rows = [...(await scan("connections")), ...(await scan("subscriptions"))];
  expect(rows).toHaveLength(3);
  for (const { ttl } of rows) expect(Number(ttl?.N)).toBe(until);
});
