import { expect, test } from "vitest";
import type { MessageId } from "../../shared/protocol/message.ts";
import type { Job } from "../../shared/receipts/job.ts";
import { readBody } from "../../shared/receipts/job-body.ts";
import { type MemoryQueue, memoryQueue } from "../../testing/memory/queue.ts";
import { ANN, aMessageOf, consumer, received } from "../support/consumer.ts";
import { NOW } from "../support/message.ts";

const overrides = { recipientsPerRun: 4, advanced: { splitLimit: 4, firstPageSize: 2, pageSize: 2 } };
const NAMES = Array.from({ length: 12 }, (_, i) => `c${i}`);

const jobsIn = (queue: MemoryQueue): readonly Job[] =>
  queue.lanes["fanout-normal"].splice(0).map(({ body }) => {
    const read = readBody(body);
    if (read.kind !== "job") throw new Error(`no job: ${body}`);
    return read.job;
  });

async function crowd(queue = memoryQueue()) {
  const under = consumer({ queue, overrides });
  const ids = [];
  for (const name of NAMES) ids.push(await under.connect(name, "orders"));
  return { ...under, ids };
}

test("an audience that is too large for a run is split into jobs of the fanout lane, and nothing is sent yet", async () => {
  const { run, ids, got, queue, state, telemetry } = await crowd();
  expect(await run([received(aMessageOf("one"))])).toEqual([]);
  expect(ids.flatMap(got)).toEqual([]);
  expect(queue.lanes.normal).toEqual([]);
  const jobs = jobsIn(queue);
  expect(jobs).toHaveLength(4);
  expect(jobs.map(({ message }) => message)).toEqual(jobs.map(() => aMessageOf("one").message));
  // The ranges follow each other and cover all hashes.
  const ranges = jobs.map(({ range }) => range);
  expect(ranges[0]?.from).toBe("00000000");
  expect(ranges.slice(1).map((range) => range?.from)).toEqual(ranges.slice(0, -1).map((range) => range?.to));
  expect(ranges.at(-1)?.to).toBe("g");
  expect(await state("one")).toBe("delivering");
  expect(telemetry.total("Claims")).toBe(1);
  expect(telemetry.total("Endings")).toBe(0);
});

test("the jobs of a split reach each connection once, whatever runs they are in, and the message ends once", async () => {
  const { run, ids, got, queue, receipts, telemetry } = await crowd();
  await run([received(aMessageOf("one"))]);
  let left = jobsIn(queue);
  while (left.length > 0) {
    expect(await run(left.map((job) => received(job)))).toEqual([]);
    left = jobsIn(queue);
  }
  expect(ids.map(got)).toEqual(ids.map(() => ["one"]));
  expect(await receipts.find(ANN, "one" as MessageId, NOW)).toMatchObject({
    state: "delivered",
    counts: { sent: NAMES.length, pending: 0 },
  });
  expect(telemetry.total("Endings")).toBeGreaterThanOrEqual(4);
});

test("a split of which the lane did not store every job is queued again as it was, before anything is sent", async () => {
  const real = memoryQueue();
  let stores = (_index: number) => false;
  const queue: MemoryQueue = {
    ...real,
    async send(lane, entries) {
      const taken = entries.filter((_, index) => stores(index));
      await real.send(lane, taken);
      return entries.map((_, index) => stores(index));
    },
  };
  const { run, ids, got, state, clock, telemetry } = await crowd(queue);
  stores = (index) => index !== 2;
  const record = received(aMessageOf("one"));
  expect(await run([record])).toEqual([record.messageId]);
  expect(real.hidden.at(-1)).toEqual({ receiptHandle: record.receiptHandle, seconds: 1 });
  expect(telemetry.total("Retries")).toBe(1);
  const first = jobsIn(real);
  expect(first).toHaveLength(3);

  clock.advance(5_000);
  stores = () => true;
  expect(await run([received(aMessageOf("one"), 2)])).toEqual([]);
  expect(jobsIn(real).map(({ range }) => range)).toEqual(
    expect.arrayContaining(first.map(({ range }) => range)),
  );
  expect(ids.flatMap(got)).toEqual([]);
  expect(await state("one")).toBe("delivering");
});

test("a message that has been sent to some is not split any more", async () => {
  const few = consumer({ overrides });
  const [ann, bob] = [await few.connect("ann", "orders"), await few.connect("bob", "orders")];
  few.sockets.fail(bob, ...Array.from({ length: 3 }, () => ({ kind: "throttled", reason: "429" }) as const));
  expect(await few.run([received(aMessageOf("two"))])).toHaveLength(1);
  // Meanwhile the topic became too large for one run.
  for (const name of NAMES) await few.connect(name, "orders");
  few.clock.advance(5_000);
  expect(await few.run([received(aMessageOf("two"), 2)])).toEqual([]);
  expect([few.got(ann), few.got(bob)]).toEqual([["two"], ["two"]]);
  expect(few.queue.lanes["fanout-normal"]).toEqual([]);
});

test("a cancel of the message ends the jobs that have not begun, and what was sent stays counted", async () => {
  const { run, ids, got, queue, receipts, clock } = await crowd();
  await run([received(aMessageOf("one"))]);
  const [first, ...others] = jobsIn(queue);
  if (!first) throw new Error("there is no job");
  for (let left: readonly Job[] = [first]; left.length > 0; left = jobsIn(queue))
    await run(left.map((job) => received(job)));
  const sent = ids.flatMap(got).length;
  expect(sent).toBeGreaterThan(0);
  clock.advance(1_000);
  await receipts.cancel(ANN, "one" as MessageId, clock.now());
  expect(await run(others.map((job) => received(job)))).toEqual([]);
  expect(ids.flatMap(got)).toHaveLength(sent);
  expect(await receipts.find(ANN, "one" as MessageId, clock.now())).toMatchObject({
    state: "cancelled",
    counts: { sent },
  });
});
