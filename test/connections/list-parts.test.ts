import { expect, test } from "vitest";
import { listParts } from "../../shared/connections/list-parts.ts";
import type { Tag } from "../../shared/protocol/tag.ts";
import { sortKey } from "../../shared/receipts/hash-range.ts";

const [EVERYONE, NEWS] = ["everyone" as Tag, "topic:news" as Tag];
const SINCE = Date.parse("2026-01-01T12:00:00Z");
const spread = (hashBits: number, hashBitsBefore: number) =>
  listParts([{ tag: "everyone", hashBits, hashBitsBefore, since: "2026-01-01T12:00:00Z" }]);
const MINUTE = 60_000;

test.each([
  { key: "00000000#a", keys: ["everyone", "everyone 0/2", "everyone 0/32"] },
  { key: "7fffffff#a", keys: ["everyone", "everyone 0/2", "everyone 15/32"] },
  { key: "80000000#a", keys: ["everyone", "everyone 1/2", "everyone 16/32"] },
  { key: "ffffffff#a", keys: ["everyone", "everyone 1/2", "everyone 31/32"] },
])("the first bits of a hash choose the partition key: $key", ({ key, keys }) => {
  const chosen = [0, 1, 5].map((bits) => spread(bits, 3).partitionKey(EVERYONE, { key, connectedAt: SINCE }));
  expect(chosen).toEqual(keys);
});

test("a connection keeps the keys of the time at which it connected", () => {
  const parts = spread(5, 1);
  const at = (connectedAt: number) => parts.partitionKey(EVERYONE, { key: "80000000#a", connectedAt });
  expect([at(SINCE - 1), at(SINCE)]).toEqual(["everyone 1/2", "everyone 16/32"]);
});

test("a list that no setting names lies on its tag, as in every release before", () => {
  expect(spread(5, 1).partitionKey(NEWS, { key: sortKey("c="), connectedAt: SINCE })).toBe("topic:news");
  expect(spread(5, 1).countsAt(NEWS, SINCE)).toEqual([1]);
});

test.each([
  { why: "a clock far behind", minutes: -11, counts: [1] },
  { why: "a clock that is ten minutes behind", minutes: -10, counts: [32, 1] },
  { why: "the change", minutes: 0, counts: [32, 1] },
  { why: "the end of the last old connection, and clocks", minutes: 129, counts: [32, 1] },
  { why: "no old connection is left", minutes: 130, counts: [32] },
])("both sets of keys are read while rows of both may live: $why", ({ minutes, counts }) => {
  expect(spread(5, 0).countsAt(EVERYONE, SINCE + minutes * MINUTE)).toEqual(counts);
});

test("nothing is read twice if the number stays the same", () => {
  expect(spread(5, 5).countsAt(EVERYONE, SINCE)).toEqual([32]);
});
