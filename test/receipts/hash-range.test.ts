import fc from "fast-check";
import { expect, test } from "vitest";
import {
  after,
  contains,
  estimate,
  type HashRange,
  hashOf,
  isHashRange,
  sortKey,
  split,
  WHOLE,
} from "../../shared/receipts/hash-range.ts";

const hashes = fc.integer({ min: 0, max: 0xffff_ffff }).map((value) => value.toString(16).padStart(8, "0"));
const ranges: fc.Arbitrary<HashRange> = fc.oneof(
  fc.constant(WHOLE),
  fc
    .tuple(hashes, fc.oneof(hashes, fc.constant("g")))
    .filter(([from, to]) => from < to)
    .map(([from, to]) => ({ from, to })),
);
const ids = fc.stringMatching(/^[A-Za-z0-9_-]{1,16}=?$/);
const parts = fc.oneof(fc.integer({ min: 1, max: 64 }), fc.constant(1_000));

test("the parts of a range follow each other without gap and without overlap", () => {
  fc.assert(
    fc.property(ranges, parts, (range, count) => {
      const pieces = split(range, count);
      // Arrays are compared whole: thousands of expectations take seconds.
      expect(pieces.map(({ from }) => from)).toEqual([
        range.from,
        ...pieces.slice(0, -1).map(({ to }) => to),
      ]);
      expect(pieces.at(-1)?.to).toBe(range.to);
      expect(pieces.filter((piece) => !isHashRange(piece))).toEqual([]);
      expect(pieces.length).toBeLessThanOrEqual(count);
    }),
  );
});

test("a connection in a range is in exactly one of its parts, one outside is in none", () => {
  fc.assert(
    fc.property(ranges, parts, ids, (range, count, id) => {
      const holding = split(range, count).filter((piece) => contains(piece, sortKey(id)));
      expect(holding).toHaveLength(contains(range, sortKey(id)) ? 1 : 0);
    }),
  );
});

test("the parts of a range are of equal width, give or take one", () => {
  const widths = split(WHOLE, 7).map(({ from, to }) => {
    const end = to === "g" ? 2 ** 32 : Number.parseInt(to, 16);
    return end - Number.parseInt(from, 16);
  });
  expect(Math.max(...widths) - Math.min(...widths)).toBeLessThanOrEqual(1);
});

test("a range that is too narrow is split into fewer parts than asked for", () => {
  expect(split({ from: "00000000", to: "00000003" }, 10)).toHaveLength(3);
  expect(split({ from: "ffffffff", to: "g" }, 2)).toEqual([{ from: "ffffffff", to: "g" }]);
});

test("nothing stands between a key and the one after it", () => {
  fc.assert(
    fc.property(ids, ids, (one, other) => {
      const [key, next] = [sortKey(one), sortKey(other)];
      expect(next > key).toBe(next >= after(key));
    }),
  );
});

test("a key starts with its hash, and every key is in the whole range", () => {
  fc.assert(
    fc.property(ids, (id) => {
      expect(hashOf(sortKey(id))).toMatch(/^[0-9a-f]{8}$/);
      expect(sortKey(id)).toBe(`${hashOf(sortKey(id))}#${id}`);
      expect(contains(WHOLE, sortKey(id))).toBe(true);
    }),
  );
});

test("the size of a list is estimated from its first page to within a fifth", () => {
  const keys = Array.from({ length: 20_000 }, (_, i) => sortKey(`connection-${i}`)).sort();
  for (const range of [WHOLE, ...split(WHOLE, 4)]) {
    const own = keys.filter((key) => contains(range, key));
    const page = own.slice(0, 1_000);
    const estimated = estimate(range, page.length, page.at(-1) ?? "");
    expect(estimated).toBeGreaterThan(own.length * 0.8);
    expect(estimated).toBeLessThan(own.length * 1.2);
  }
});

test("an estimate is never less than what was seen", () => {
  fc.assert(
    fc.property(ranges, fc.integer({ min: 1, max: 10_000 }), ids, (range, seen, id) => {
      fc.pre(contains(range, sortKey(id)));
      expect(estimate(range, seen, sortKey(id))).toBeGreaterThanOrEqual(seen);
    }),
  );
});

test.each([
  null,
  "0-f",
  {},
  { from: "00000000" },
  { from: "0", to: "g" },
  { from: "0000000G", to: "g" },
  { from: "80000000", to: "80000000" },
  { from: "80000000", to: "00000000" },
  { from: "g", to: "g" },
  { from: 0, to: "g" },
  { from: ["00000000"], to: "g" },
  { from: "00000000", to: ["g"] },
  { from: "000000000", to: "g" },
  { from: "-00000000", to: "g" },
  { from: "00000000-", to: "g" },
  { from: "00000000", to: "-80000000" },
  { from: "00000000", to: "80000000-" },
  { from: "00000000", to: "gg" },
])("%j is not a range", (value) => {
  expect(isHashRange(value)).toBe(false);
});

test("a range holds its first key and not its last", () => {
  const range = { from: "40000000", to: "80000000" };
  expect(
    ["3fffffff#z", "40000000", "40000000#a", "80000000", "80000000#a"].map((key) => contains(range, key)),
  ).toEqual([false, true, true, false, false]);
});

test.each([
  { seen: 1, lastKey: "00000000#a", size: 2 ** 32 },
  { seen: 10, lastKey: "7fffffff#a", size: 20 },
  { seen: 10, lastKey: "ffffffff#a", size: 10 },
])("$seen keys up to $lastKey make a list of $size", ({ seen, lastKey, size }) => {
  expect(estimate(WHOLE, seen, lastKey)).toBe(size);
});
