import fc from "fast-check";
import { expect, test } from "vitest";
import { inRounds } from "../../shared/adapters/dynamodb/unprocessed.ts";
import { memoryClock } from "../../testing/memory/clock.ts";

/** A table that takes nothing for so many milliseconds, then one item at a time; it notes when it was called. */
function stubborn(milliseconds: number) {
  const clock = memoryClock();
  const calls: { readonly at: number; readonly items: readonly string[] }[] = [];
  const call = async (items: readonly string[]) => {
    calls.push({ at: clock.monotonic(), items });
    return clock.monotonic() < milliseconds ? items : items.slice(1);
  };
  return { clock, calls, call };
}

test("a batch that is processed at once costs one call and no pause", async () => {
  const { clock, calls, call } = stubborn(0);
  await inRounds({ clock, random: () => 1, deadlineMs: 10_000 }, ["a"], call);
  expect(calls).toEqual([{ at: 0, items: ["a"] }]);
});

test("what stays unprocessed is tried again alone, after pauses that double up to a second", async () => {
  const { clock, calls, call } = stubborn(2_000);
  await inRounds({ clock, random: () => 1, deadlineMs: 10_000 }, ["a", "b"], call);
  expect(calls.map(({ at }) => at)).toEqual([0, 50, 150, 350, 750, 1_550, 2_550, 3_550]);
  expect(calls.map(({ items }) => items.length)).toEqual([2, 2, 2, 2, 2, 2, 2, 1]);
});

test("however long a table takes nothing, rounds end with all items processed, or in time with TABLE_UNAVAILABLE", async () => {
  const cases = fc.record({
    busy: fc.nat(20_000),
    deadlineMs: fc.nat(15_000),
    items: fc.array(fc.string(), { minLength: 1, maxLength: 25 }),
    random: fc.double({ min: 0.1, max: 0.999, noNaN: true }),
  });
  await fc.assert(
    fc.asyncProperty(cases, async ({ busy, deadlineMs, items, random }) => {
      const { clock, calls, call } = stubborn(busy);
      const fault = await inRounds({ clock, random: () => random, deadlineMs }, items, call).catch(
        (thrown) => thrown,
      );
      if (fault !== undefined) expect(fault).toMatchObject({ code: "TABLE_UNAVAILABLE" });
      else expect(calls.filter(({ at }) => at >= busy)).toHaveLength(items.length);
      for (const { at } of calls.slice(1)) expect(at).toBeLessThanOrEqual(deadlineMs);
    }),
    { numRuns: 100 },
  );
});
