import fc from "fast-check";
import { expect, test } from "vitest";
import { backlog } from "../../shared/pipeline/ingest/backlog.ts";
import { ingest } from "../../shared/pipeline/ingest/ingest.ts";
import type { MessageQueue } from "../../shared/ports.ts";
import type { Item } from "../../shared/protocol/item.ts";
import { LANES } from "../../shared/protocol/lane.ts";
import type { UserId } from "../../shared/protocol/tag.ts";
import { type Traceparent, traceparentFrom } from "../../shared/protocol/traceparent.ts";
import type { Job } from "../../shared/receipts/job.ts";
import { readBody } from "../../shared/receipts/job-body.ts";
import { memoryClock } from "../../testing/memory/clock.ts";
import { memoryQueue } from "../../testing/memory/queue.ts";
import { memoryTelemetry } from "../../testing/memory/telemetry.ts";
import { json, postsAt } from "../support/arbitrary.ts";
import { NOW } from "../support/message.ts";

const PRODUCER = {
  sub: "ann" as UserId,
  tags: [],
  subscribe: [],
  publish: ["*"],
  admin: false,
  exp: NOW / 1000 + 60,
};

/** Ingest over a queue in memory, or one that takes only some. */
function ingestInto(
  queue: MessageQueue,
  body: unknown,
  limits = {},
  telemetry = memoryTelemetry(),
  publish: readonly string[] = ["*"],
  request: { readonly id?: string; readonly traceparent?: Traceparent | undefined } = {},
) {
  const clock = memoryClock(NOW);
  let ids = 0;
  const deps = {
    queue,
    clock,
    backlog: backlog({
      queue,
      clock,
      policy: {
        limits,
        limitsSeconds: {},
        recipientsPerJob: 1,
        sendsPerSecond: 1,
        refreshIntervalMilliseconds: 5_000,
      },
    }),
    newId: () => `made-${++ids}`,
    lifeSeconds: 342_000,
    telemetry,
    request,
  };
  return ingest(deps, { ...PRODUCER, publish: [...publish] }, body);
}

async function itemsOf(queue: MessageQueue, body: readonly unknown[]): Promise<readonly Item[]> {
  const answer = await ingestInto(queue, body);
  if (!answer.ok || !Array.isArray(answer.value)) throw new Error("an array is answered with an array");
  return answer.value;
}

const posts = fc.array(
  fc.oneof(
    postsAt(NOW).map((post) => ({ post, good: true })),
    fc.oneof(json, fc.record({ id: fc.constant("bad"), data: json })).map((post) => ({ post, good: false })),
  ),
  { minLength: 1, maxLength: 30 },
);

test("of an array, the good items are queued in their lanes as they were posted, and the bad are refused in their places", async () => {
  await fc.assert(
    fc.asyncProperty(posts, async (items) => {
      const queue = memoryQueue();
      const answers = await itemsOf(
        queue,
        items.map(({ post }) => post),
      );
      expect(answers.map(({ state }) => state)).toEqual(
        items.map(({ good }) => (good ? "queued" : "refused")),
      );
      const queued = LANES.flatMap((lane) => queue.lanes[lane].map((entry) => ({ lane, ...entry })));
      expect(queued).toHaveLength(items.filter(({ good }) => good).length);
      const jobs = new Map<string, { lane: string; delaySeconds: number; job: Job }>();
      for (const { lane, body, delaySeconds } of queued) {
        const read = readBody(body);
        if (read.kind !== "job") throw new Error(`no job: ${body}`);
        const { job } = read;
        jobs.set(JSON.stringify([job.message.target, job.message.data, lane]), { lane, delaySeconds, job });
      }
      for (const { post, good } of items) {
        if (!good) continue;
        const {
          target,
          data,
          priority = "normal",
        } = post as { target: unknown; data: unknown; priority?: string };
        expect(jobs.has(JSON.stringify([target, data, priority]))).toBe(true);
      }
    }),
  );
});

test("an id is the message's own where it brings none, and the receipt's where it does", async () => {
  const queue = memoryQueue();
  const target = { topic: "orders" };
  const answers = await itemsOf(queue, [
    { target, data: 1 },
    { id: "mine", target, data: 2 },
  ]);
  expect(answers).toEqual([
    { id: "made-1", state: "queued" },
    { id: "mine", state: "queued" },
  ]);
});

test("what the queue does not take is refused by itself, and may be sent again", async () => {
  const queue = memoryQueue();
  const refusing: MessageQueue = {
    ...queue,
    send: async (_, entries) => entries.map(({ job }) => job.message.id !== "b"),
  };
  const target = { topic: "orders" };
  const answers = await itemsOf(
    refusing,
    ["a", "b", "c"].map((id) => ({ id, target, data: 1 })),
  );
  expect(answers).toMatchObject([
    { id: "a", state: "queued" },
    { id: "b", state: "refused", problem: { code: "QUEUE_UNAVAILABLE", status: 503 } },
    { id: "c", state: "queued" },
  ]);
});

test("a look at the backlog that fails fails no POST, and is told", async () => {
  const queue = memoryQueue();
  const failing: MessageQueue = {
    ...queue,
    backlog: async () => {
      throw new Error("GetQueueAttributes is throttled");
    },
  };
  const telemetry = memoryTelemetry();
  const item = await ingestInto(failing, { target: { topic: "orders" }, data: 1 }, { normal: 5 }, telemetry);
  expect(item).toMatchObject({ ok: true, value: { state: "queued" } });
  expect(queue.lanes.normal).toHaveLength(1);
  expect(telemetry.warnings).toMatchObject([{ event: "backlog not read" }]);
});

test("the log has a record of each message, by the request and the trace it came with, and never its data", async () => {
  const telemetry = memoryTelemetry();
  const traceparent = traceparentFrom("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  const body = [
    { id: "a", target: { topic: "orders" }, data: "secret" },
    { id: "b", target: { everyone: true }, data: 1, priority: "high", delaySeconds: 60 },
    { id: "c", target: { topic: "orders" } },
    { id: "not an id", target: { topic: "orders" }, data: 1 },
  ];
  const request = { id: "request-1", traceparent };
  await ingestInto(memoryQueue(), body, {}, telemetry, ["*"], request);
  const all = { producer: "ann", requestId: "request-1", traceparent };
  expect(telemetry.steps.toSorted((a, b) => (a.event < b.event ? -1 : 1))).toEqual([
    { event: "message accepted", fields: { ...all, messageId: "a", lane: "normal", target: "topic:orders" } },
    {
      event: "message accepted",
      fields: {
        ...{ ...all, messageId: "b", lane: "high", target: "everyone" },
        dueAt: new Date(NOW + 60_000).toISOString(),
      },
    },
    { event: "message refused", fields: { ...all, messageId: "c", code: "MESSAGE_INVALID" } },
    { event: "message refused", fields: { ...all, code: "MESSAGE_INVALID" } },
  ]);
});

test("and no request or trace where there is none", async () => {
  const telemetry = memoryTelemetry();
  await ingestInto(memoryQueue(), { id: "a", target: { topic: "orders" }, data: 1 }, {}, telemetry);
  expect(Object.keys(telemetry.steps[0]?.fields ?? {}).toSorted()).toEqual([
    "lane",
    "messageId",
    "producer",
    "target",
  ]);
});

test("messages that the queue did not take are shed, and refused too", async () => {
  const queue = memoryQueue();
  const telemetry = memoryTelemetry();
  const { send } = queue;
  queue.send = async (lane, entries) => (await send(lane, entries)).map((_, index) => index > 0);
  const one = { target: { topic: "orders" }, data: 1 };
  const body = [{ target: one.target }, one, one, one];
  await ingestInto(queue, body, {}, telemetry);
  expect(telemetry.total("MessagesAccepted")).toBe(2);
  expect(telemetry.total("MessagesRefused")).toBe(2);
  expect(telemetry.total("MessagesShed")).toBe(1);
});
