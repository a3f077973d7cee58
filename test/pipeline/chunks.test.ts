import { expect, test } from "vitest";
import { chunks } from "../../shared/chunks.ts";

test.each([
  { items: 0, sizes: [] },
  { items: 1, sizes: [1] },
  { items: 25, sizes: [25] },
  { items: 26, sizes: [25, 1] },
  { items: 75, sizes: [25, 25, 25] },
])("$items items in chunks of 25 are chunks of $sizes", ({ items, sizes }) => {
  const all = Array.from({ length: items }, (_, i) => i);
  expect(chunks(all, 25).map((chunk) => chunk.length)).toEqual(sizes);
  expect(chunks(all, 25).flat()).toEqual(all);
});
