import { expect, test } from "vitest";
import { backlog } from "../../shared/pipeline/ingest/backlog.ts";
import type { Lane } from "../../shared/protocol/lane.ts";
import { memoryClock } from "../../testing/memory/clock.ts";
import { NOW } from "../support/message.ts";

const REFRESH = 5_000;

/** The backlogs of a container, over lanes that hold as many messages as a test says. */
function container(limits: Partial<Record<Lane, number>>, holds: Partial<Record<Lane, number>> = {}) {
  const clock = memoryClock(NOW);
  const reads: Lane[] = [];
  const queue = {
    async backlog(lane: Lane) {
      reads.push(lane);
      return holds[lane] ?? 0;
    },
  };
  const known = backlog({ queue, clock, policy: { limits, refreshIntervalMilliseconds: REFRESH } });
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

test("a full fanout lane holds up every lane that has a limit, and the longest wait counts", async () => {
  const { retryAfter, look } = container({ normal: 10, low: 10, fanout: 10 }, { normal: 21, fanout: 11 });
  await look(["high", "normal", "low"]);
  expect(retryAfter("high")).toBeUndefined();
  expect(retryAfter("normal")).toBe(15);
  expect(retryAfter("low")).toBe(10);
});

test("a lane without a limit is never read", async () => {
  const { look, reads } = container({ normal: 10, fanout: 10 }, {});
  await look(["high"]);
  expect(reads).toEqual([]);
  await look(["normal"]);
  expect(reads.toSorted()).toEqual(["fanout", "normal"]);
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
