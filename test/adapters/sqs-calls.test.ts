import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { sqsClient } from "../../local/twin/emulators/queue.ts";
import { sqsDeadLetters } from "../../shared/adapters/sqs/dead-letters.ts";
import { laneUrlsOf } from "../../shared/adapters/sqs/lane-urls.ts";
import { inBatches, sqsQueue } from "../../shared/adapters/sqs/message-queue.ts";
import { LANES, type Lane } from "../../shared/protocol/lane.ts";
import type { UserId } from "../../shared/protocol/tag.ts";
import { startFront } from "../../testing/front.ts";
import { inputOf, json } from "../../testing/json.ts";
import { operationOf } from "../../testing/service.ts";
import { aJob } from "../support/message.ts";

const URLS = Object.fromEntries(LANES.map((lane) => [lane, `https://sqs/${lane}`])) as Record<Lane, string>;
const DEAD = "https://sqs/dead";
const MIB = 1_048_576;

interface Input {
  readonly QueueUrl: string;
  readonly NextToken?: string;
  readonly MaxResults?: number;
  readonly MessageAttributeNames?: readonly string[];
  readonly MessageAttributes?: Readonly<Record<string, object>>;
  readonly Entries?: readonly { readonly Id: string; readonly MessageGroupId?: string }[];
}

/** The adapters over an SQS that answers by operation, and what it was asked. */
async function queues(answers: Readonly<Record<string, (input: Input) => object>>) {
  const calls: { readonly operation: string; readonly input: Input }[] = [];
  let underWay = 0;
  let most = 0;
  const front = await startFront([], async (request) => {
    const [operation, input] = [operationOf(request), inputOf<Input>(request)];
    calls.push({ operation, input });
    return json(answers[operation]?.(input) ?? {});
  });
  const client = sqsClient(front.url);
  client.middlewareStack.add(
    (next) => async (args) => {
      most = Math.max(most, ++underWay);
      return next(args).finally(() => underWay--);
    },
    { step: "initialize" },
  );
  onTestFinished(async () => {
    client.destroy();
    await front.stop();
  });
  return {
    calls,
    most: () => most,
    lanes: () => laneUrlsOf(client, DEAD),
    queue: sqsQueue({ client, urls: URLS, deadLetterUrl: DEAD, fair: true }),
    deadLetters: sqsDeadLetters({ client, url: DEAD, laneUrl: async (lane) => URLS[lane] }),
  };
}

const all = ({ Entries = [] }: Input) => ({ Successful: Entries.map(({ Id }) => ({ Id })) });
const letters = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    ...{ entryId: `e${i}`, receiptHandle: `h${i}`, body: "{}", sentAt: 0 },
  }));

describe("the lanes of a dead-letter queue", () => {
  const tags: Readonly<Record<string, object>> = {
    "https://sqs/a": { Tags: { "tagwire:lane": "high", team: "shop" } },
    "https://sqs/b": { Tags: { "tagwire:lane": "fanout-low" } },
    "https://sqs/c": { Tags: { team: "high" } },
    "https://sqs/d": {},
    "https://sqs/e": { Tags: { "tagwire:lane": "nothing" } },
  };
  const pages = [["https://sqs/a", "https://sqs/c"], [], ["https://sqs/b", "https://sqs/d", "https://sqs/e"]];

  test("are its source queues of all pages that have the tag of a lane", async () => {
    const { lanes, calls } = await queues({
      ListDeadLetterSourceQueues: ({ NextToken = "0" }) => ({
        queueUrls: pages[Number(NextToken)],
        ...(Number(NextToken) < 2 ? { NextToken: String(Number(NextToken) + 1) } : {}),
      }),
      ListQueueTags: ({ QueueUrl }) => tags[QueueUrl] ?? {},
    });
    expect(await lanes()).toEqual({ high: "https://sqs/a", "fanout-low": "https://sqs/b" });
    const lists = calls.filter(({ operation }) => operation === "ListDeadLetterSourceQueues");
    expect(lists.map(({ input }) => input)).toEqual([
      { QueueUrl: DEAD, MaxResults: 100 },
      { QueueUrl: DEAD, MaxResults: 100, NextToken: "1" },
      { QueueUrl: DEAD, MaxResults: 100, NextToken: "2" },
    ]);
    expect(calls).toHaveLength(8);
  });

  test("are none if no queue names it", async () => {
    const { lanes } = await queues({});
    expect(await lanes()).toEqual({});
  });
});

describe("dead letters", () => {
  test.each([
    { what: "nothing but a body", message: {}, read: {} },
    { what: "other attributes", message: { MessageAttributes: { team: { StringValue: "shop" } } }, read: {} },
    {
      what: "a lane that there is not",
      message: { MessageAttributes: { lane: { StringValue: "express" }, reason: { StringValue: "busy" } } },
      read: { reason: "busy" },
    },
    {
      what: "all that this project writes",
      message: {
        MessageAttributes: { lane: { StringValue: "low" }, reason: { StringValue: "busy" } },
        Attributes: { SentTimestamp: "1700000000000" },
      },
      read: { reason: "busy", lane: "low", sentAt: 1_700_000_000_000 },
    },
  ])("with $what are read", async ({ message, read }) => {
    const Messages = [{ MessageId: "id", ReceiptHandle: "handle", Body: "{}", ...message }];
    const { deadLetters, calls } = await queues({ ReceiveMessage: () => ({ Messages }) });
    const plain = { entryId: "id", receiptHandle: "handle", body: "{}", sentAt: 0 };
    expect(await deadLetters.receive(7, 30)).toEqual([{ ...plain, ...read }]);
    expect(calls[0]?.input).toMatchObject({
      ...{ QueueUrl: DEAD, MaxNumberOfMessages: 7, VisibilityTimeout: 30, WaitTimeSeconds: 1 },
      ...{ MessageAttributeNames: ["All"], MessageSystemAttributeNames: ["SentTimestamp"] },
    });
  });

  test("without a body or an id are read as empty ones", async () => {
    const { deadLetters } = await queues({ ReceiveMessage: () => ({ Messages: [{}] }) });
    expect(await deadLetters.receive(1, 1)).toEqual([
      { entryId: "", receiptHandle: "", body: "", sentAt: 0 },
    ]);
  });

  test("are removed in tens, at most ten calls at once, and each has its own outcome", async () => {
    const { deadLetters, calls, most } = await queues({
      DeleteMessageBatch: (input) => ({ Successful: all(input).Successful.filter(({ Id }) => Id !== "3") }),
    });
    const removed = await deadLetters.remove(letters(345));
    expect(removed).toEqual(letters(345).map((_, i) => i % 10 !== 3));
    expect(calls).toHaveLength(35);
    expect(calls.flatMap(({ input }) => input.Entries ?? [])).toHaveLength(345);
    expect(most()).toBe(10);
  });

  test("are released in tens, for everyone to see at once", async () => {
    const { deadLetters, calls } = await queues({});
    expect(await deadLetters.release(letters(12))).toBeUndefined();
    const entries = calls.flatMap(({ input }) => input.Entries ?? []);
    expect(entries).toHaveLength(12);
    for (const entry of entries) expect(entry).toMatchObject({ VisibilityTimeout: 0 });
    expect(calls.map(({ operation }) => operation)).toEqual(Array(2).fill("ChangeMessageVisibilityBatch"));
  });

  test("that a queue takes without saying so were not taken", async () => {
    const { deadLetters } = await queues({});
    const entries = letters(2).map(({ body }) => ({ body, producer: "ann" as UserId }));
    expect(await deadLetters.forward("low", entries)).toEqual([false, false]);
    expect(await deadLetters.remove(letters(2))).toEqual([false, false]);
  });
});

describe("a call of SQS", () => {
  test("holds entries of a mebibyte in all, and not a byte more", () => {
    const body = (bytes: number) => ({ body: "x".repeat(bytes) });
    expect(inBatches([body(MIB - 10), body(10)])).toHaveLength(1);
    expect(inBatches([body(MIB - 10), body(11)])).toHaveLength(2);
    expect(inBatches([body(MIB - 2), { body: "ä" }])).toHaveLength(1);
    expect(inBatches([body(MIB - 1), { body: "ä" }])).toHaveLength(2);
  });

  test("has all entries once and in order, at most ten, and is never empty", () => {
    const bodies = fc.array(fc.integer({ min: 0, max: MIB }).map((bytes) => ({ body: "x".repeat(bytes) })));
    fc.assert(
      fc.property(bodies, (entries) => {
        const batches = inBatches(entries);
        expect(batches.flat()).toEqual(entries);
        for (const batch of batches) {
          expect(batch.length).toBeGreaterThan(0);
          expect(batch.length).toBeLessThanOrEqual(10);
          expect(batch.reduce((sum, { body }) => sum + body.length, 0)).toBeLessThanOrEqual(MIB);
        }
      }),
      { numRuns: 20 },
    );
  });

  test("names a group of at most 128 characters, however the producer is written", async () => {
    const { queue, calls } = await queues({ SendMessageBatch: all });
    await queue.send("normal", [{ job: aJob({ producer: "王".repeat(128) as UserId }) }]);
    const [entry] = calls[0]?.input.Entries ?? [];
    expect(entry?.MessageGroupId).toBe("%E7%8E%8B".repeat(15).slice(0, 128));
    expect(entry?.MessageGroupId).toHaveLength(128);
  });

  test("carries at most a thousand characters of a reason, as a string attribute", async () => {
    const { queue, calls } = await queues({});
    await queue.deadLetter("high", "{}", "x".repeat(1_001));
    expect(calls[0]?.input.MessageAttributes).toEqual({
      reason: { DataType: "String", StringValue: "x".repeat(1_000) },
      lane: { DataType: "String", StringValue: "high" },
    });
  });

  test("that answers nothing about its entries has taken none", async () => {
    const { queue } = await queues({});
    expect(await queue.send("high", [{ job: aJob() }, { job: aJob() }])).toEqual([false, false]);
    expect(await queue.backlog("high")).toBe(0);
  });
});

test.each([
  ["visibility not changed", ({ queue }) => queue.changeVisibility("low", "h", 1)],
  ["the dead-letter queue did not take a message", ({ queue }) => queue.deadLetter("low", "{}", "busy")],
  ["backlog not read", ({ queue }) => queue.backlog("low")],
  ["dead letters not received", ({ deadLetters }) => deadLetters.receive(1, 1)],
  ["dead letters not released", ({ deadLetters }) => deadLetters.release(letters(1))],
  [
    "lane low did not take dead letters",
    ({ deadLetters }) => deadLetters.forward("low", [{ body: "{}", producer: "ann" as UserId }]),
  ],
  ["dead letters not deleted", ({ deadLetters }) => deadLetters.remove(letters(1))],
  ["the dead-letter queue not read", ({ deadLetters }) => deadLetters.size()],
  ["the lanes of the dead-letter queue not found", ({ lanes }) => lanes()],
] satisfies [
  string,
  (of: Awaited<ReturnType<typeof queues>>) => Promise<unknown>,
][])("a queue that is not there is a fault that says so: %s", async (what, call) => {
  const front = await startFront([], async () => ({
    status: 400,
    headers: { "content-type": "application/x-amz-json-1.0" },
    body: JSON.stringify({ __type: "com.amazonaws.sqs#QueueDoesNotExist", message: "no such queue" }),
  }));
  const client = sqsClient(front.url);
  onTestFinished(async () => {
    client.destroy();
    await front.stop();
  });
  const under = {
    lanes: () => laneUrlsOf(client, DEAD),
    queue: sqsQueue({ client, urls: URLS, deadLetterUrl: DEAD, fair: true }),
    deadLetters: sqsDeadLetters({ client, url: DEAD, laneUrl: async (lane) => URLS[lane] }),
  };
  await expect(call(under as Awaited<ReturnType<typeof queues>>)).rejects.toMatchObject({
    code: "QUEUE_UNAVAILABLE",
    message: `${what}: no such queue`,
    cause: { name: "QueueDoesNotExist" },
  });
});
