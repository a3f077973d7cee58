import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { type RedriveOptions, redrive } from "../../../cli/dead-letters/redrive.ts";
import type { Selection } from "../../../cli/dead-letters/select.ts";
import type { Io } from "../../../cli/io.ts";
import type { Lane } from "../../../shared/protocol/lane.ts";
import type { MessageId } from "../../../shared/protocol/message.ts";
import { bodyOf } from "../../../shared/receipts/job-body.ts";
import { memoryClock } from "../../../testing/memory/clock.ts";
import { type MemoryDeadLetters, memoryDeadLetters } from "../../../testing/memory/dead-letters.ts";
import { aJob } from "../../support/message.ts";

const body = (i: number) => bodyOf(aJob({ id: `m-${i}` as MessageId, acceptanceId: `acceptance-${i}` }));
const bodies = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => body(from + i));

/** A queue of dead letters, and a redrive of it. */
function queueOf(count: number) {
  const clock = memoryClock();
  const queue = memoryDeadLetters(clock);
  for (const deadLetter of bodies(0, count)) queue.add({ body: deadLetter });
  const run = async (changes: Partial<MemoryDeadLetters>, more: Partial<Selection & RedriveOptions> = {}) => {
    let out = "";
    const io: Io = {
      env: {},
      stdin: new PassThrough(),
      stdout: {
        write(text) {
          out += text;
        },
      },
      stderr: { write: () => true },
      fetch,
      now: clock.now,
      random: () => 0,
      interrupt: () => new AbortController().signal,
    };
    const selection = {
      queue: { ...queue, ...changes },
      filter: {},
      limit: Number.POSITIVE_INFINITY,
      holdSeconds: 60,
      batch: 10,
      lookup: async () => undefined,
      reasons: false,
      ...more,
    };
    const options = { rate: 100_000, dryRun: false, json: false, ...more };
    const failure = await redrive(io, selection, options).then(
      () => undefined,
      (fault: Error) => fault.message,
    );
    return { out, failure };
  };
  return { queue, run };
}

test("a letter that its lane refuses stays in the dead-letter queue, and the command fails", async () => {
  const { queue, run } = queueOf(3);
  const { out, failure } = await run({
    async forward(lane: Lane, entries) {
      const taken = entries.map((entry) => entry.body !== body(1));
      await queue.forward(
        lane,
        entries.filter((_, i) => taken[i]),
      );
      return taken;
    },
  });
  expect(queue.bodies()).toEqual([body(1)]);
  expect(queue.lanes.normal).toEqual([body(0), body(2)]);
  expect(out).toMatch(/^redrove 2 \(normal 2\)\nkept 1: they were not taken by their lane/);
  expect(failure).toContain("1 dead letters were not taken by their lane");
  expect(await queue.size()).toBe(1);
});

test("a lane that takes nothing loses no letter", async () => {
  const { queue, run } = queueOf(12);
  const { failure } = await run({ forward: async (_, entries) => entries.map(() => false) });
  expect(queue.bodies()).toEqual(bodies(0, 12));
  expect(failure).toContain("12 dead letters");
});

test("a letter that was sent and not deleted counts as refused: its next run finds a duplicate", async () => {
  const { queue, run } = queueOf(1);
  const { out, failure } = await run({ remove: async (deadLetters) => deadLetters.map(() => false) });
  expect(out).toMatch(/^redrove 0\nkept 1/);
  expect(failure).toContain("1 dead letters");
  expect(queue.bodies()).toEqual([body(0)]);
});

test.each([
  { limit: 1, batch: 10 },
  { limit: 10, batch: 10 },
  { limit: 13, batch: 10 },
  { limit: 7, batch: 3 },
])("a limit of $limit is kept to the letter in batches of $batch", async ({ limit, batch }) => {
  const { queue, run } = queueOf(25);
  const { out, failure } = await run({}, { limit, batch });
  expect(failure).toBeUndefined();
  expect(out).toBe(`redrove ${limit} (normal ${limit})\n`);
  expect(queue.lanes.normal).toEqual(bodies(0, limit));
  expect(queue.bodies()).toEqual(bodies(limit, 25));
});

test("a rate of 20 a second takes 400 ms for 8 letters, however fast the lane takes them", async () => {
  const { run } = queueOf(8);
  const began = performance.now();
  const { out } = await run({}, { rate: 20, batch: 4 });
  expect(out).toBe("redrove 8 (normal 8)\n");
  expect(performance.now() - began).toBeGreaterThan(380);
});

test("a dry run sends nothing and deletes nothing", async () => {
  const { queue, run } = queueOf(3);
  const { out } = await run({}, { dryRun: true });
  expect(out).toBe("would redrive 3 (normal 3)\n");
  expect([queue.lanes.normal, queue.bodies()]).toEqual([[], bodies(0, 3)]);
});
