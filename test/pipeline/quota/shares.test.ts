import fc from "fast-check";
import { expect, test } from "vitest";
import { type Demand, sharesOf } from "../../../shared/pipeline/quota/shares.ts";

const waits = (id: string, weight = 4): Demand => ({ id, weight, isWaiting: true, sendsPerSecond: 1 });
const sends = (id: string, sendsPerSecond: number, weight = 4): Demand => ({
  ...{ id, weight, isWaiting: false, sendsPerSecond },
});

test.each([
  { why: "one that waits gets all", entries: [waits("a")], shares: { a: 8_000 } },
  { why: "those that wait get the same", entries: [waits("a"), waits("b")], shares: { a: 4_000, b: 4_000 } },
  {
    why: "those that wait get it by the weight of their lanes",
    entries: [waits("a", 16), waits("b", 4)],
    shares: { a: 6_400, b: 1_600 },
  },
  {
    why: "one that does not wait keeps what it uses, and a tenth and 10 more",
    entries: [sends("a", 1_000), waits("b")],
    shares: { a: 1_110, b: 6_890 },
  },
  {
    why: "one that does not wait has no more than its weight is worth",
    entries: [sends("a", 7_000, 4), waits("b", 4)],
    shares: { a: 4_000, b: 4_000 },
  },
])("of 8,000 sends a second $why", ({ entries, shares }) => {
  expect(Object.fromEntries(sharesOf(entries, 8_000))).toEqual(shares);
});

const demands = fc
  .array(
    fc.record({
      weight: fc.constantFrom(1, 4, 16),
      isWaiting: fc.boolean(),
      sendsPerSecond: fc.nat(5_000),
    }),
    { minLength: 1, maxLength: 30 },
  )
  .map((list) => list.map((one, i) => ({ ...one, id: `c-${i}` })));

/** Max-min fairness by its definition, found by halving: the level of one weight at which all is given away. */
function levelOf(entries: readonly Demand[], capacity: number): number {
  const given = (level: number) =>
    entries.reduce(
      (sum, { isWaiting, sendsPerSecond, weight }) =>
        sum + (isWaiting ? level * weight : Math.min(sendsPerSecond * 1.1 + 10, level * weight)),
      0,
    );
  let [low, high] = [0, capacity];
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2;
    if (given(middle) <= capacity) low = middle;
    else high = middle;
  }
  return low;
}

test("shares are max-min fair by weight, and never more than there is", () => {
  fc.assert(
    fc.property(demands, fc.integer({ min: 10, max: 20_000 }), (entries, capacity) => {
      const shares = sharesOf(entries, capacity);
      const level = levelOf(entries, capacity);
      const sum = [...shares.values()].reduce((all, share) => all + share, 0);
      expect(sum).toBeLessThanOrEqual(capacity + 1e-6);
      for (const { id, isWaiting, sendsPerSecond, weight } of entries) {
        const fair = isWaiting ? level * weight : Math.min(sendsPerSecond * 1.1 + 10, level * weight);
        expect(shares.get(id)).toBeCloseTo(fair, 3);
      }
    }),
  );
});
