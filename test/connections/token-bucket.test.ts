import fc from "fast-check";
import { expect, test } from "vitest";
import { budgetAfter, spend } from "../../shared/connections/token-bucket.ts";

const LIMITS = { burst: 10, perSecond: 2 };

test("holds the burst at once, and then what it refills by the second", () => {
  let until: number | undefined;
  const take = (now: number) => {
    const spent = spend(LIMITS, until, 1, now);
    if (spent.kind === "refused") return spent.retryAfter;
    until = spent.spending.kind === "restart" ? spent.spending.until : (until ?? 0) + spent.spending.by;
    return "taken";
  };
  expect(Array.from({ length: 11 }, () => take(0))).toEqual([
    ...Array.from({ length: 10 }, () => "taken"),
    1,
  ]);
  expect([take(499), take(500), take(500), take(1_000)]).toEqual([1, "taken", 1, "taken"]);
});

test("never lets through more than the burst and the refill, at whatever times and costs", () => {
  const takes = fc.array(fc.record({ after: fc.nat(2_000), cost: fc.integer({ min: 1, max: 8 }) }));
  fc.assert(
    fc.property(takes, (all) => {
      let [now, taken, until]: [number, number, number | undefined] = [0, 0, undefined];
      for (const { after, cost } of all) {
        now += after;
        const spent = spend(LIMITS, until, cost, now);
        if (spent.kind === "refused") {
          const { retryAfter } = spent;
          expect(spend(LIMITS, until, cost, now + retryAfter * 1000).kind).toBe("allowed");
          continue;
        }
        until = spent.spending.kind === "restart" ? spent.spending.until : (until ?? 0) + spent.spending.by;
        taken += cost;
        expect(taken).toBeLessThanOrEqual(LIMITS.burst + (LIMITS.perSecond * now) / 1000);
      }
    }),
  );
});

test("an extension holds only up to the bound that it was allowed for", () => {
  const spent = spend(LIMITS, 3_000, 2, 1_000);
  expect(spent).toEqual({ kind: "allowed", spending: { kind: "extend", by: 1_000, most: 5_000 } });
  expect(spend(LIMITS, 5_001, 2, 1_000)).toEqual({ kind: "refused", retryAfter: 1 });
});

test("a bucket from a clock that is set back since counts as full", () => {
  expect(spend(LIMITS, 3_600_000, 2, 0)).toEqual({
    kind: "allowed",
    spending: { kind: "restart", until: 1_000 },
  });
});

test.each([
  { of: "was never used", until: undefined, becomes: { kind: "restart", until: 11_000 } },
  { of: "is full since a while", until: 9_000, becomes: { kind: "restart", until: 11_000 } },
  { of: "is full from now on", until: 10_000, becomes: { kind: "restart", until: 11_000 } },
  { of: "is full in a moment", until: 10_001, becomes: { kind: "extend", by: 1_000, most: 14_000 } },
  { of: "has just enough", until: 14_000, becomes: { kind: "extend", by: 1_000, most: 14_000 } },
  { of: "says more than an empty one could", until: 15_001, becomes: { kind: "restart", until: 11_000 } },
] as const)("two units out of a bucket that $of", ({ until, becomes }) => {
  expect(spend(LIMITS, until, 2, 10_000)).toEqual({ kind: "allowed", spending: becomes });
  expect(budgetAfter(until, becomes)).toBe(becomes.kind === "restart" ? 11_000 : (until ?? 0) + 1_000);
});

test("an extension of a bucket without a state begins at 0", () => {
  expect(budgetAfter(undefined, { kind: "extend", by: 7, most: 9 })).toBe(7);
});

test.each([
  { until: 14_001, retryAfter: 1 },
  { until: 15_000, retryAfter: 1 },
])("a bucket that is full at $until has two units again within a second", ({ until, retryAfter }) => {
  expect(spend(LIMITS, until, 2, 10_000)).toEqual({ kind: "refused", retryAfter });
});
