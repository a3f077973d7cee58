import fc from "fast-check";
import { validate, version } from "uuid";
import { expect, test } from "vitest";
import { newIds } from "../../functions/runtime/new-id.ts";

test("ids are UUIDv7s of their moment", () => {
  const newId = newIds({ now: () => 0x0123_4567_89ab }, () => 0.5);
  const id = newId();
  expect(validate(id) && version(id)).toBe(7);
  expect(id.replaceAll("-", "")).toMatch(/^0123456789ab7/);
});

test("ids strictly increase as text, whatever the clock and the dice do", () => {
  const times = fc.array(fc.integer({ min: 1_700_000_000_000, max: 1_700_000_000_005 }), { minLength: 2 });
  const dice = fc.array(fc.constantFrom(0, 0.5, 1 - Number.EPSILON), { minLength: 1 });
  fc.assert(
    fc.property(times, dice, (moments, throws) => {
      let at = 0;
      let thrown = 0;
      const clock = { now: () => moments[at++ % moments.length] ?? 0 };
      const newId = newIds(clock, () => throws[thrown++ % throws.length] ?? 0);
      const ids = moments.map(newId);
      expect(ids).toEqual([...new Set(ids)].sort());
    }),
  );
});

test("two containers of the same moment make different ids", () => {
  const clock = { now: () => 1_700_000_000_000 };
  const ids = Array.from({ length: 100 }, () => newIds(clock, () => 0.5)());
  expect(new Set(ids).size).toBe(100);
});
