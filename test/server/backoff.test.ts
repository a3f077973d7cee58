import fc from "fast-check";
import { expect, test } from "vitest";
import { delayBefore, retryAfterOf } from "../../server/backoff.ts";

const POLICY = { maxAttempts: 8, retrySeconds: 60 };
const fraction = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

test("the delay is spread from zero to twice as much after each attempt, up to 20 s", () => {
  const policy = { maxAttempts: 100, retrySeconds: 1_000 };
  const longest = [1, 2, 3, 6, 7, 8, 50].map((attempts) =>
    delayBefore(policy, { attempts, elapsed: 0 }, 1 - Number.EPSILON),
  );
  expect(longest.map((delay = 0) => Math.round(delay))).toEqual([
    250, 500, 1_000, 8_000, 16_000, 20_000, 20_000,
  ]);
  expect(delayBefore(policy, { attempts: 8, elapsed: 0 }, 0)).toBe(0);
});

test("a wait is never shorter than Retry-After, at most 20 s longer, and never ends after the bound", () => {
  fc.assert(
    fc.property(
      fc.nat(7).map((n) => n + 1),
      fc.nat(70_000),
      fc.double({ min: 0, max: 100, noNaN: true }),
      fraction,
      (attempts, elapsed, retryAfterSeconds, random) => {
        const delay = delayBefore(POLICY, { attempts, elapsed, retryAfterSeconds }, random);
        if (delay === undefined) return attempts === 8 || elapsed + (retryAfterSeconds + 20) * 1000 > 60_000;
        const waited = delay >= retryAfterSeconds * 1000 && delay <= (retryAfterSeconds + 20) * 1000;
        return attempts < 8 && waited && elapsed + delay <= 60_000;
      },
    ),
  );
});

test("two that were told the same time do not come back together", () => {
  const next = (random: number) =>
    delayBefore(POLICY, { attempts: 1, elapsed: 0, retryAfterSeconds: 5 }, random);
  expect([next(0.1), next(0.9)]).toEqual([5_025, 5_225]);
});

const NOW = Date.parse("2026-01-01T00:00:00Z");

test.each([
  { header: null, seconds: undefined },
  { header: "0", seconds: 0 },
  { header: "17", seconds: 17 },
  { header: " 5 ", seconds: 5 },
  { header: "Thu, 01 Jan 2026 00:00:30 GMT", seconds: 30 },
  { header: "Wed, 31 Dec 2025 00:00:00 GMT", seconds: 0 },
  { header: "-1", seconds: undefined },
  { header: "1.5", seconds: undefined },
  { header: "soon", seconds: undefined },
  { header: "", seconds: undefined },
])("Retry-After: $header means $seconds seconds", ({ header, seconds }) => {
  expect(retryAfterOf(header, NOW)).toBe(seconds);
});
