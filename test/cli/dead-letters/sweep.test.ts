import fc from "fast-check";
import { expect, test } from "vitest";
import { sweep } from "../../../cli/dead-letters/sweep.ts";
import type { DeadLetter } from "../../../shared/ports.ts";
import { memoryClock } from "../../../testing/memory/clock.ts";
import { type MemoryDeadLetters, memoryDeadLetters } from "../../../testing/memory/dead-letters.ts";

const HOLD_SECONDS = 10;

/** A queue of so many letters, where each receive takes `slow` milliseconds. */
function queueOf(count: number, slow = 0, arriving = 0) {
  const clock = memoryClock();
  const queue = memoryDeadLetters(clock);
  for (let i = 0; i < count; i++) queue.add({ body: `letter ${i}` });
  const slowly: MemoryDeadLetters = {
    ...queue,
    async receive(most, holdSeconds) {
      clock.advance(slow);
      for (let i = 0; i < arriving; i++) queue.add({ body: `late ${clock.now()}/${i}` });
      return queue.receive(most, holdSeconds);
    },
  };
  const options = { queue: slowly, batch: 10, holdSeconds: HOLD_SECONDS, now: clock.now };
  return { queue, options, clock };
}

const never = new AbortController().signal;

test("hands each letter over once, and leaves those that stay for everyone to see", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 60 }),
      fc.integer({ min: 1, max: 10 }),
      // Up to far more than the hold: letters that are held come back in between.
      fc.integer({ min: 0, max: 2 * HOLD_SECONDS * 1000 }),
      fc.func(fc.boolean()),
      async (count, batch, slow, isTaken) => {
        const { queue, options } = queueOf(count, slow);
        const met: string[] = [];
        await sweep({ ...options, batch, until: never }, async (fresh) => {
          met.push(...fresh.map(({ body }) => body));
          const gone = fresh.filter(({ body }) => isTaken(body));
          await queue.remove(gone);
          return { gone };
        });
        expect(new Set(met).size).toBe(met.length);
        // With a hold that is over before the next receive, the first ones may hide the rest.
        if (slow * Math.ceil(count / batch + 2) < HOLD_SECONDS * 1000) expect(met).toHaveLength(count);
        const left = met.filter((body) => !isTaken(body));
        expect(queue.bodies()).toEqual(expect.arrayContaining(left));
        expect(await queue.size()).toBe(queue.bodies().length);
      },
    ),
  );
});

test("ends although letters keep coming in, and says how many it left alone", async () => {
  const { queue, options } = queueOf(5, 1_000, 3);
  let met = 0;
  const { later } = await sweep({ ...options, until: never }, async (fresh) => {
    met += fresh.length;
    await queue.remove(fresh);
    return { gone: fresh };
  });
  expect(met).toBeGreaterThan(5);
  expect(later).toBeGreaterThan(0);
});

test("an interrupted sweep ends after its batch and releases what it holds", async () => {
  const { queue, options } = queueOf(30);
  const controller = new AbortController();
  let batches = 0;
  await sweep({ ...options, until: controller.signal }, async () => {
    batches += 1;
    controller.abort();
    return { gone: [] };
  });
  expect(batches).toBe(1);
  expect(await queue.size()).toBe(30);
});

test("a batch that fails ends it, and what it holds is released", async () => {
  const { queue, options } = queueOf(30);
  const failing = sweep({ ...options, until: never }, async () => {
    throw new Error("no lane");
  });
  await expect(failing).rejects.toThrow("no lane");
  expect(await queue.size()).toBe(30);
});

test("a letter that comes back although it is gone is not handed over again", async () => {
  const { queue, options } = queueOf(1);
  const twice: DeadLetter[] = [];
  const haunted = {
    ...queue,
    async receive(most: number, holdSeconds: number) {
      const received = await queue.receive(most, holdSeconds);
      twice.push(...received);
      return received.length > 0 ? received : twice.splice(0);
    },
  };
  let met = 0;
  await sweep({ ...options, queue: haunted, until: never }, async (fresh) => {
    met += fresh.length;
    await queue.remove(fresh);
    return { gone: fresh };
  });
  expect(met).toBe(1);
});
