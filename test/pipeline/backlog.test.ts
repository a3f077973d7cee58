import { expect, test } from "vitest";
import { backlog } from "../../shared/pipeline/ingest/backlog.ts";
import type { QuotaAnswer, QuotaEntry } from "../../shared/ports.ts";
import type { FanoutLane, Lane } from "../../shared/protocol/lane.ts";
import { memoryClock } from "../../testing/memory/clock.ts";
import { NOW } from "../support/message.ts";

const REFRESH = 5_000;
const JOBS = { recipientsPerJob: 2_500, sendsPerSecond: 8_000 };

/** The limits in seconds, and what containers say of themselves. */
interface Timed {
  readonly limitsSeconds?: Partial<Record<FanoutLane, number>>;
  readonly read?: () => Promise<QuotaAnswer>;
}

/** The backlogs of a container, over lanes that hold as many messages as a test says. */
function container(
  limits: Partial<Record<Lane, number>>,
  holds: Partial<Record<Lane, number>> = {},
  { limitsSeconds = {}, read }: Timed = {},
) {
  const clock = memoryClock(NOW);
  const reads: Lane[] = [];
  const queue = {
    async backlog(lane: Lane) {
      reads.push(lane);
      return holds[lane] ?? 0;
    },
  };
  const policy = { limits, limitsSeconds, ...JOBS, refreshIntervalMilliseconds: REFRESH };
  const known = backlog({ queue, clock, policy, ...(read ? { beats: { read } } : {}) });
  return { ...known, clock, holds, reads, queue };
}

test("a lane takes messages until a backlog over its limit has been read", async () => {
  const { retryAfter, look } = container({ normal: 10 }, { normal: 11 });
  expect(retryAfter("normal")).toBeUndefined();
  await look(["normal"]);
  expect(retryAfter("normal")).toBe(10);
});

test.each([
  { waiting: 0, seconds: undefined },
  { waiting: 10, seconds: undefined },
  { waiting: 11, seconds: 10 },
  { waiting: 20, seconds: 10 },
  { waiting: 21, seconds: 15 },
  { waiting: 599, seconds: 300 },
  { waiting: 1_000_000, seconds: 300 },
])("with $waiting messages where 10 may wait, a producer waits $seconds s", async ({ waiting, seconds }) => {
  const { retryAfter, look } = container({ normal: 10 }, { normal: waiting });
  await look(["normal"]);
  expect(retryAfter("normal")).toBe(seconds);
});

test("a full fanout lane holds up the messages of its priority alone, and the longest wait counts", async () => {
  const limits = { normal: 10, low: 10, "fanout-high": 10, "fanout-normal": 10, "fanout-low": 10 };
  const { retryAfter, look } = container(limits, { normal: 11, "fanout-normal": 21, low: 11 });
  await look(["high", "normal", "low"]);
  expect(retryAfter("high")).toBeUndefined();
  expect(retryAfter("normal")).toBe(15);
  expect(retryAfter("low")).toBe(10);
});

test("a lane without a limit is never read", async () => {
  const { look, reads } = container({ normal: 10, "fanout-normal": 10 }, {});
  await look(["high"]);
  expect(reads).toEqual([]);
  await look(["normal"]);
  expect(reads.toSorted()).toEqual(["fanout-normal", "normal"]);
});

const entry = (sendsPerSecond: number, changes: Partial<QuotaEntry> = {}): QuotaEntry => ({
  ...{ id: "a", count: 1, claimedPerSecond: sendsPerSecond, at: NOW },
  ...{ sendsPerSecond, weight: 16, isWaiting: true, ...changes },
});
const HIGH = entry(6_000);
const NORMAL = entry(1_000, { id: "b", weight: 4 });
const CONTENT = { ...NORMAL, isWaiting: false };

test.each([
  // 2,500 connections a job, 1,000 sends a second.
  { why: "its runs wait for turns", jobs: 241, runs: [HIGH, NORMAL], seconds: 603 },
  { why: "it needs its limit and no more", jobs: 240, runs: [HIGH, NORMAL], seconds: undefined },
  { why: "two of its runs send", jobs: 481, runs: [NORMAL, NORMAL], seconds: 602 },
  { why: "one of its runs waits for turns", jobs: 961, runs: [HIGH, NORMAL, CONTENT], seconds: 1_202 },
  // 8,000 less the 6,000 of the others are its own.
  { why: "nobody uses the rest of the quota", jobs: 481, runs: [HIGH, CONTENT], seconds: 602 },
  { why: "it could use the rest of the quota", jobs: 480, runs: [HIGH, CONTENT], seconds: undefined },
  {
    why: "a container that sent died",
    jobs: 241,
    runs: [NORMAL, { ...NORMAL, at: NOW - 10_000 }],
    seconds: 603,
  },
  // By number: 1,000 may wait.
  {
    why: "no run of its weight sends",
    jobs: 1_001,
    runs: [HIGH, { ...NORMAL, sendsPerSecond: 0 }],
    seconds: 10,
  },
  { why: "none is known to send", jobs: 1_001, runs: [], seconds: 10 },
  { why: "none is known to send, and few wait", jobs: 1_000, runs: [], seconds: undefined },
])("with $jobs jobs in a fanout lane that may need 600 s, a producer waits $seconds s if $why", async ({
  jobs,
  runs,
  seconds,
}) => {
  const { retryAfter, look } = container(
    { "fanout-normal": 1_000 },
    { "fanout-normal": jobs },
    { limitsSeconds: { "fanout-normal": 600 }, read: async () => ({ entries: runs, at: NOW }) },
  );
  await look(["normal"]);
  expect(retryAfter("normal")).toBe(seconds);
});

test("if it cannot be read what runs send, the number of jobs decides", async () => {
  const { retryAfter, look } = container(
    { "fanout-low": 10 },
    { "fanout-low": 11 },
    { limitsSeconds: { "fanout-low": 1 }, read: () => Promise.reject(new Error("TABLE_UNAVAILABLE")) },
  );
  await look(["low"]);
  expect(retryAfter("low")).toBe(10);
});

test("a lane of messages is judged by their number alone, since nobody knows whom they are for", async () => {
  const { retryAfter, look, reads } = container(
    { normal: 10_000 },
    { normal: 10_000 },
    { limitsSeconds: { "fanout-normal": 1 }, read: async () => ({ entries: [NORMAL] }) },
  );
  await look(["normal"]);
  expect(reads.toSorted()).toEqual(["fanout-normal", "normal"]);
  expect(retryAfter("normal")).toBeUndefined();
});

test("a lane is read once in an interval, however many ask", async () => {
  const { look, reads, clock } = container({ normal: 10 });
  await Promise.all([look(["normal"]), look(["normal"])]);
  await look(["normal"]);
  clock.advance(REFRESH - 1);
  await look(["normal"]);
  expect(reads).toEqual(["normal"]);
  clock.advance(1);
  await look(["normal"]);
  expect(reads).toEqual(["normal", "normal"]);
});

test("what was read is forgotten after two intervals, so an idle container refuses nobody", async () => {
  const { retryAfter, look, clock } = container({ normal: 10 }, { normal: 11 });
  await look(["normal"]);
  clock.advance(2 * REFRESH);
  expect(retryAfter("normal")).toBe(10);
  clock.advance(1);
  expect(retryAfter("normal")).toBeUndefined();
});

test("a lane that has emptied takes messages again after the next read", async () => {
  const { retryAfter, look, clock, holds } = container({ normal: 10 }, { normal: 11 });
  await look(["normal"]);
  holds.normal = 3;
  clock.advance(REFRESH);
  expect(retryAfter("normal")).toBe(10);
  await look(["normal"]);
  expect(retryAfter("normal")).toBeUndefined();
});

test("a read that failed is made again by the next request", async () => {
  const { look, retryAfter, queue, reads } = container({ normal: 10 }, { normal: 11 });
  const { backlog: read } = queue;
  queue.backlog = () => Promise.reject(new Error("throttled"));
  await expect(look(["normal"])).rejects.toThrow("throttled");
  queue.backlog = read;
  await look(["normal"]);
  expect(reads).toEqual(["normal"]);
  expect(retryAfter("normal")).toBe(10);
});

test("a clock that is set back neither turns producers away nor takes their messages unseen until it has caught up", async () => {
  const { retryAfter, look, clock, holds } = container({ normal: 10 }, { normal: 11 });
  await look(["normal"]);
  clock.advance(-3_600_000);
  expect(retryAfter("normal")).toBeUndefined();
  await look(["normal"]);
  expect(retryAfter("normal")).toBe(10);
  holds.normal = 0;
  clock.advance(REFRESH);
  await look(["normal"]);
  expect(retryAfter("normal")).toBeUndefined();
});
