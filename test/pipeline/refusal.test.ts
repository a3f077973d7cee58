import { expect, test } from "vitest";
import { backlog } from "../../shared/pipeline/ingest/backlog.ts";
import { ingest } from "../../shared/pipeline/ingest/ingest.ts";
import type { MessageId } from "../../shared/protocol/message.ts";
import { messageFrame } from "../../shared/protocol/message-frame.ts";
import type { UserId } from "../../shared/protocol/tag.ts";
import type { Target } from "../../shared/protocol/target.ts";
import { readBody } from "../../shared/receipts/job-body.ts";
import type { StreamSettings } from "../../shared/streams/kept.ts";
import { memoryClock } from "../../testing/memory/clock.ts";
import { memoryQueue } from "../../testing/memory/queue.ts";
import { memoryTelemetry } from "../../testing/memory/telemetry.ts";
import { aMessage, NOW } from "../support/message.ts";

const ORDERS = { target: { topic: "orders" }, data: 1 };

/** Ingest for a producer that may publish to topics, over lanes of which `normal` takes 5. */
function producer({ streams, publish = ["topic:*"] }: { streams?: StreamSettings; publish?: string[] } = {}) {
  const queue = memoryQueue();
  const clock = memoryClock(NOW);
  const telemetry = memoryTelemetry();
  const policy = {
    limits: { normal: 5, "fanout-normal": 5 },
    limitsSeconds: {},
    recipientsPerJob: 1,
    sendsPerSecond: 1,
    refreshIntervalMilliseconds: 5_000,
  };
  const deps = {
    ...{ queue, clock, telemetry, lifeSeconds: 342_000, newId: () => "made" },
    backlog: backlog({ queue, clock, policy }),
    ...(streams ? { streams } : {}),
  };
  const identity = {
    ...{ sub: "ann" as UserId, tags: [], subscribe: [], publish, admin: false },
    exp: NOW / 1000 + 60,
  };
  return { queue, clock, telemetry, post: (body: unknown) => ingest(deps, identity, body) };
}

const refusalOf = async (body: unknown) => {
  const { post, queue, telemetry } = producer();
  const result = await post(body);
  expect(queue.lanes.normal).toEqual([]);
  return { result, telemetry };
};

test.each([0, 101])("an array of %i messages is refused as a whole", async (length) => {
  const { result, telemetry } = await refusalOf(Array.from({ length }, () => ORDERS));
  expect(result).toMatchObject({
    ok: false,
    refusal: { code: "BATCH_INVALID", detail: `an array must hold 1-100 messages, got ${length}` },
  });
  expect(telemetry.total("MessagesRefused")).toBe(0);
});

test.each([1, 100])("an array of %i messages is taken", async (length) => {
  const { post, queue, telemetry } = producer();
  const result = await post(Array.from({ length }, (_, n) => ({ ...ORDERS, id: `m-${n}` })));
  expect(result).toMatchObject({ ok: true, value: { length } });
  expect(queue.lanes.normal).toHaveLength(length);
  expect(telemetry.total("MessagesAccepted")).toBe(length);
});

test("a target that the token does not grant is refused, and named", async () => {
  const { result, telemetry } = await refusalOf({ target: { user: "bob" }, data: 1 });
  expect(result).toMatchObject({
    ok: true,
    value: {
      state: "refused",
      problem: {
        code: "TARGET_FORBIDDEN",
        status: 403,
        detail: `the token's publish grant does not cover {"user":"bob"}`,
      },
    },
  });
  expect(telemetry.total("MessagesRefused")).toBe(1);
});

test("a fault of a message is named by its place in the array, and by no place if it came alone", async () => {
  const bad = { ...ORDERS, priority: "top" };
  const pointers = async (body: unknown) =>
    JSON.stringify((await refusalOf(body)).result).match(/\/[\w/]+/)?.[0];
  expect(await pointers(bad)).toBe("/priority");
  expect(await pointers([bad])).toBe("/0/priority");
});

test("a message refused names its id if it has one that is a text", async () => {
  const { post } = producer();
  const { value = [] } = (await post([
    { id: "mine", target: 1 },
    { id: 7, target: 1 },
    { target: 1 },
    null,
    "text",
  ])) as { value?: { id?: string }[] };
  expect(value.map((item) => ("id" in item ? item.id : "none"))).toEqual([
    "mine",
    "none",
    "none",
    "none",
    "none",
  ]);
});

test("a frame larger than API Gateway takes is refused, and one of exactly that size is queued", async () => {
  const LARGEST = 131_072;
  const { post, queue } = producer();
  const bytesWith = async (characters: number): Promise<unknown> =>
    post({ ...ORDERS, id: "m", data: "x".repeat(characters) });
  const text = JSON.stringify(await bytesWith(LARGEST));
  expect(text).toContain("MESSAGE_TOO_LARGE");
  const bytes = Number(/the frame would be (\d+) bytes, at most 131072 fit/.exec(text)?.[1]);
  const fits = LARGEST - (bytes - LARGEST);
  expect(JSON.stringify(await bytesWith(fits + 1))).toContain(`the frame would be ${LARGEST + 1} bytes`);
  expect(await bytesWith(fits)).toMatchObject({ value: { state: "queued" } });
  expect(queue.lanes.normal).toHaveLength(1);
});

test.each([
  { target: { topic: "orders/1" }, most: 120_832, numbered: 23 },
  { target: { user: "ann" }, most: 120_832, numbered: 23 },
  { target: { topic: "news" }, most: 131_072, numbered: 23 },
  { target: { everyone: true }, most: 131_072, numbered: 0 },
  { target: { connection: "a=" }, most: 131_072, numbered: 0 },
])("if streams are kept, a frame to $target has at most $most bytes, with its longest number", async ({
  target,
  most,
  numbered,
}) => {
  const retention = { seconds: 60, count: 10 };
  const streams = { streams: [{ topics: "orders/*", ...retention }], userStreams: retention };
  const { post, queue } = producer({ streams, publish: ["*"] });
  const frame = (data: string) =>
    messageFrame(aMessage({ id: "m" as MessageId, target: target as Target, data }));
  const others = Buffer.byteLength(JSON.stringify(frame(""))) + numbered;
  expect(await post({ id: "m", target, data: "x".repeat(most - others + 1) })).toMatchObject({
    value: {
      state: "refused",
      problem: {
        code: "MESSAGE_TOO_LARGE",
        detail: expect.stringContaining(`${most + 1} bytes, at most ${most} fit`),
      },
    },
  });
  expect(queue.lanes.normal).toHaveLength(0);
  expect(await post({ id: "m", target, data: "x".repeat(most - others) })).toMatchObject({
    value: { state: "queued" },
  });
});

test("a full lane refuses with the time to wait, other lanes take on, and it takes again when it has emptied", async () => {
  const { post, queue, clock, telemetry } = producer();
  for (let n = 0; n < 6; n++) await post({ ...ORDERS, id: `m-${n}` });
  clock.advance(5_000);
  await post({ ...ORDERS, id: "seen" });
  expect(await post(ORDERS)).toMatchObject({
    value: {
      state: "refused",
      problem: {
        code: "LANE_FULL",
        status: 429,
        retryAfter: 10,
        detail: "the normal lane is over its limit; send again after 10 s",
      },
    },
  });
  expect(await post({ ...ORDERS, priority: "high" })).toMatchObject({ value: { state: "queued" } });
  expect([telemetry.total("MessagesShed"), telemetry.total("MessagesRefused")]).toEqual([1, 1]);
  // The refused request itself reads the lane anew, or it would be taken unseen later.
  queue.lanes.normal.length = 0;
  clock.advance(5_000);
  expect(await post(ORDERS)).toMatchObject({ value: { state: "refused" } });
  expect(await post(ORDERS)).toMatchObject({ value: { state: "queued" } });
});

test("a delay goes to the queue, and is none if the message has none", async () => {
  const { post, queue } = producer();
  await post([{ ...ORDERS, delaySeconds: 7 }, ORDERS]);
  expect(queue.lanes.normal.map(({ delaySeconds }) => delaySeconds)).toEqual([7, 0]);
});

test("a deadline before the message is due is refused", async () => {
  const { result } = await refusalOf({ ...ORDERS, delaySeconds: 60, ttlSeconds: 30 });
  expect(result).toMatchObject({ value: { state: "refused", problem: { code: "MESSAGE_INVALID" } } });
});

test("messages of several lanes are written to their lanes in one request", async () => {
  const { post, queue } = producer();
  await post((["high", "normal", "low"] as const).map((priority) => ({ ...ORDERS, id: priority, priority })));
  for (const lane of ["high", "normal", "low"] as const) {
    const [only] = queue.lanes[lane].map(({ body }) => readBody(body));
    expect(only).toMatchObject({ kind: "job", job: { message: { id: lane, priority: lane } } });
  }
});
