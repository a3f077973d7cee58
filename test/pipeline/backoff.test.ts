import fc from "fast-check";
import { expect, test } from "vitest";
import { backoff } from "../../shared/backoff.ts";

test.each([
  { attempt: 0, random: 0, wait: 0 },
  { attempt: 0, random: 0.5, wait: 1 },
  { attempt: 3, random: 0.5, wait: 8 },
  { attempt: 7, random: 0.5, wait: 128 },
  { attempt: 20, random: 0.5, wait: 150 },
  { attempt: 5_000, random: 0.5, wait: 150 },
])("attempt $attempt with random $random waits $wait", ({ attempt, random, wait }) => {
  expect(backoff(attempt, { base: 2, cap: 300 }, random)).toBe(wait);
});

test("a wait is spread between nothing and its bound, and the bound only grows", () => {
  const randoms = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(fc.nat(100), fc.nat(1_000), fc.nat(10_000), randoms, (attempt, base, cap, random) => {
      const wait = backoff(attempt, { base, cap }, random);
      expect(wait).toBeGreaterThanOrEqual(0);
      expect(wait).toBeLessThanOrEqual(Math.min(cap, base * 2 ** attempt));
      expect(backoff(attempt + 1, { base, cap }, random)).toBeGreaterThanOrEqual(wait);
    }),
  );
});
