import fc from "fast-check";
import { expect, test } from "vitest";
import {
  blockerAt,
  emptyRowAfter,
  inRows,
  isBlocker,
  rootAfter,
  rowAfter,
} from "../../shared/streams/row.ts";
import { NOW } from "../support/message.ts";

const writing = { now: NOW, retention: { seconds: 60, count: 100 } };
const MICROSECONDS = NOW * 1000;

test("frames are put in as few rows as hold them, in order, at most 10 and 300 KB each", () => {
  const frame = fc
    .integer({ min: 0, max: 131_072 })
    .map((length) => "é".repeat(length / 2) + "x".repeat(length % 2));
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 40 }), (frames) => {
      const rows = inRows(frames);
      expect(rows.flat()).toEqual(frames);
      for (const row of rows) {
        expect(row.length).toBeGreaterThan(0);
        expect(row.length).toBeLessThanOrEqual(10);
        expect(new TextEncoder().encode(row.join("")).length).toBeLessThanOrEqual(300 * 1024);
      }
      for (const [i, row] of rows.slice(1).entries()) {
        const before = rows[i] ?? [];
        const both = new TextEncoder().encode([...before, row[0]].join("")).length;
        expect(before.length === 10 || both > 300 * 1024).toBe(true);
      }
    }),
    { numRuns: 30 },
  );
});

test("a row goes on at the number after the head, and names the one after itself", () => {
  const head = rootAfter({ expiresAt: 0 }, writing);
  expect(head).toMatchObject({ seq: 0, next: MICROSECONDS, messages: [] });
  const row = rowAfter(head, ["{}", "{}"], { ...writing, run: "r" });
  expect(row).toMatchObject({ seq: MICROSECONDS, next: MICROSECONDS + 2, run: "r" });
  expect(emptyRowAfter(row, writing)).toMatchObject({
    seq: MICROSECONDS + 2,
    next: MICROSECONDS + 3,
    messages: [""],
  });
});

test.each([
  { is: "behind", next: MICROSECONDS + 5_000_000, start: MICROSECONDS + 5_000_001 },
  { is: "ahead", next: MICROSECONDS - 5_000_000, start: MICROSECONDS },
])("a new start whose clock is $is begins after every number that is there", ({ next, start }) => {
  expect(rootAfter({ next, expiresAt: 0 }, writing).next).toBe(start);
});

test("a blocker has no numbers, and neither a root nor a number without data is one", () => {
  const blocker = blockerAt(7, { next: 7, expiresAt: NOW + 10 * 86_400_000 }, writing);
  expect(blocker).toMatchObject({ seq: 7, next: 7, expiresAt: NOW + 10 * 86_400_000 });
  const root = rootAfter({ expiresAt: 0 }, writing);
  expect([blocker, root, emptyRowAfter(root, writing)].map(isBlocker)).toEqual([true, false, false]);
});
