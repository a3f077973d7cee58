import fc from "fast-check";
import { expect, test } from "vitest";
import { counts, isDue, lifeOf } from "../../shared/streams/life.ts";
import { NOW } from "../support/message.ts";

const HOUR = 3_600_000;

test("a row lives a day longer than its messages, in whole seconds", () => {
  expect(lifeOf(NOW, { seconds: 3_600 })).toEqual({
    at: NOW,
    until: NOW + HOUR,
    expiresAt: NOW + 25 * HOUR,
  });
  expect(lifeOf(NOW + 1, { seconds: 60 }).expiresAt).toBe(NOW + 60_000 + 24 * HOUR + 1_000);
});

test("no row expires before the rows that were written before it, whatever clocks and settings say", () => {
  const writing = fc.record({ skew: fc.integer({ min: -60_000, max: 60_000 }), seconds: fc.nat(1_000_000) });
  fc.assert(
    fc.property(fc.array(writing, { minLength: 1 }), (writings) => {
      let least = 0;
      for (const { skew, seconds } of writings) {
        const { expiresAt, until } = lifeOf(NOW + skew, { seconds }, least);
        expect(expiresAt).toBeGreaterThanOrEqual(least);
        expect(expiresAt - until).toBeGreaterThanOrEqual(24 * HOUR);
        expect(expiresAt % 1000).toBe(0);
        least = expiresAt;
      }
    }),
  );
});

test.each([
  { left: 12 * HOUR + 1, head: true, due: false },
  { left: 12 * HOUR, head: true, due: true },
  { left: 6 * HOUR + 1, head: true, due: true },
  { left: 6 * HOUR, head: false, due: true },
  { left: -1, head: false, due: true },
])("$left ms before it may be deleted a row is a head: $head, and due for another: $due", (given) => {
  const row = { expiresAt: NOW + given.left };
  expect(counts(row, NOW)).toBe(given.head);
  expect(isDue(row, NOW)).toBe(given.due);
});
