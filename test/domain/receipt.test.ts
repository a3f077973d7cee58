import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type HashRange, split, WHOLE } from "../../shared/domain/hash-range.ts";
import type { MessageId } from "../../shared/domain/message.ts";
import {
  ENDINGS,
  endingOf,
  fold,
  isReplaceableSplit,
  jobPart,
  MESSAGE_PART,
  NO_PROGRESS,
  type Progress,
  type ReceiptRow,
  replaceable,
  standing,
} from "../../shared/domain/receipt.ts";
import type { ConnectionId, UserId } from "../../shared/domain/tag.ts";
import { aJob, NOW } from "../support/message.ts";

const aRow = (fields: Partial<ReceiptRow> = {}): ReceiptRow => ({
  producer: "ann" as UserId,
  id: "m-1" as MessageId,
  part: MESSAGE_PART,
  copy: "copy-1",
  time: new Date(NOW).toISOString(),
  dedupeUntil: NOW + 300_000,
  run: "run",
  leaseUntil: 0,
  receive: 1,
  last: false,
  updatedAt: NOW,
  ...fields,
});
const counted = (sent: number, gone = 0, failed = 0): Progress => ({
  ...NO_PROGRESS,
  counts: { sent, gone, failed },
});
const pending = (...names: string[]): Progress => ({
  ...NO_PROGRESS,
  pending: names.map((name) => ({ connectionId: name as ConnectionId, connectedAt: NOW })),
});
const [LOW, HIGH] = split(WHOLE, 2) as [HashRange, HashRange];
const [LOWEST, LOWER] = split(LOW, 2) as [HashRange, HashRange];
const part = (range: HashRange) => jobPart("copy-1", range);

test.each([
  { counts: { sent: 0, gone: 0, failed: 0 }, ending: "no-recipients" },
  { counts: { sent: 0, gone: 3, failed: 0 }, ending: "no-recipients" },
  { counts: { sent: 1, gone: 3, failed: 0 }, ending: "delivered" },
  { counts: { sent: 1, gone: 0, failed: 1 }, ending: "partial" },
  { counts: { sent: 0, gone: 0, failed: 1 }, ending: "partial" },
])("a delivery with $counts ends as $ending", ({ counts, ending }) => {
  expect(endingOf(counts)).toBe(ending);
});

describe("a receipt", () => {
  const working = { leaseUntil: NOW + 1 };
  test.each([
    { of: "a run under way", rows: [aRow(working)], state: "delivering" },
    { of: "a run that left something", rows: [aRow({ progress: pending("a") })], state: "retrying" },
    { of: "a run whose lease ran out", rows: [aRow({ leaseUntil: NOW })], state: "retrying" },
    { of: "a last run whose lease ran out", rows: [aRow({ last: true })], state: "dead" },
    { of: "an ended message", rows: [aRow({ ending: "delivered" })], state: "delivered" },
    { of: "a cancel that came first", rows: [aRow({ cancelledAt: NOW })], state: "cancelled" },
    { of: "a cancel during a run", rows: [aRow({ ...working, cancelledAt: NOW })], state: "delivering" },
    {
      of: "a cancel that came too late",
      rows: [aRow({ ending: "delivered", cancelledAt: NOW })],
      state: "delivered",
    },
    { of: "jobs nobody met yet", rows: [aRow({ split: [LOW, HIGH], queued: true })], state: "delivering" },
    { of: "jobs that are not all queued", rows: [aRow({ split: [LOW, HIGH] })], state: "retrying" },
    {
      of: "jobs nobody met before the cancel, and that end by themselves",
      rows: [aRow({ split: [LOW, HIGH], queued: true, cancelledAt: NOW })],
      state: "delivering",
    },
    {
      of: "one job done and one that retries",
      rows: [
        aRow({ split: [LOW, HIGH] }),
        aRow({ part: part(LOW), ending: "delivered" }),
        aRow({ part: part(HIGH) }),
      ],
      state: "retrying",
    },
    {
      of: "one job delivered and one that found nobody",
      rows: [
        aRow({ split: [LOW, HIGH] }),
        aRow({ part: part(LOW), ending: "no-recipients" }),
        aRow({ part: part(HIGH), ending: "delivered" }),
      ],
      state: "delivered",
    },
    {
      of: "one job delivered and one dead",
      rows: [
        aRow({ split: [LOW, HIGH] }),
        aRow({ part: part(LOW), ending: "dead" }),
        aRow({ part: part(HIGH), ending: "delivered" }),
      ],
      state: "dead",
    },
    {
      of: "a job that was split again",
      rows: [
        aRow({ split: [LOW, HIGH] }),
        aRow({ part: part(LOW), split: [LOWEST, LOWER] }),
        aRow({ part: part(LOWEST), ending: "delivered" }),
        aRow({ part: part(LOWER), ending: "partial" }),
        aRow({ part: part(HIGH), ending: "delivered" }),
      ],
      state: "partial",
    },
  ])("of $of says $state", ({ rows, state }) => {
    expect(fold(rows, NOW)).toMatchObject({ state });
  });

  test("names the connections that will not get it, and why", () => {
    const died = aRow({ last: true, progress: { ...pending("b"), failed: ["a" as ConnectionId] } });
    expect(fold([died], NOW)).toMatchObject({
      state: "dead",
      failed: ["a", "b"],
      reason: "the last run did not finish",
    });
    expect(fold([aRow({ progress: pending("b") })], NOW)).not.toHaveProperty("failed");
  });

  test("counts over all jobs, and takes no notice of the jobs of another copy", () => {
    const rows = [
      aRow({ split: [LOW, HIGH], receive: 1 }),
      aRow({ part: part(LOW), ending: "delivered", progress: counted(3, 1), receive: 2 }),
      aRow({ part: part(HIGH), progress: { ...counted(2), ...pending("c") }, updatedAt: NOW + 5 }),
      aRow({ part: jobPart("copy-0", LOW), ending: "dead", progress: counted(100) }),
    ];
    expect(fold(rows, NOW)).toMatchObject({
      state: "retrying",
      counts: { sent: 3, gone: 1, failed: 0, pending: 1 },
      attempts: 2,
      jobs: 2,
      updatedAt: "2026-01-01T00:00:00.005Z",
    });
  });

  test("is none where the message has no row of its own", () => {
    expect(fold([], NOW)).toBeUndefined();
    expect(fold([aRow({ part: part(LOW) })], NOW)).toBeUndefined();
  });
});

describe("rows of a message that was split, and split again", () => {
  const progress = fc
    .record({ sent: fc.nat(9), gone: fc.nat(9), failed: fc.nat(9), waiting: fc.nat(3) })
    .map(({ waiting, ...counts }) => ({
      ...pending(...Array.from({ length: waiting }, (_, i) => `c${i}`)),
      counts,
    }));
  const leaf = fc.record(
    {
      progress,
      ending: fc.constantFrom(...ENDINGS),
      leaseUntil: fc.constantFrom(0, NOW, NOW + 1),
      receive: fc.integer({ min: 1, max: 5 }),
      last: fc.boolean(),
      cancelledAt: fc.constant(NOW),
      reason: fc.constantFrom("429", "500"),
      updatedAt: fc.constantFrom(NOW, NOW + 1, NOW + 2),
    },
    { requiredKeys: ["receive", "last", "updatedAt"] },
  );
  /** The rows under one part, and which of them are leaves. Some jobs no run has met. */
  const tree = (at: string, range: HashRange, levels: number): fc.Arbitrary<readonly ReceiptRow[]> => {
    const alone = leaf.map((fields) => [aRow({ part: at, ...fields } as Partial<ReceiptRow>)]);
    if (levels === 0) return alone;
    const parts = fc.integer({ min: 2, max: 4 }).chain((count) => {
      const ranges = split(range, count);
      const under = ranges.map((piece) => fc.oneof(fc.constant([]), tree(part(piece), piece, levels - 1)));
      return fc.tuple(...under).map((jobs) => [aRow({ part: at, split: ranges }), ...jobs.flat()]);
    });
    return fc.oneof(alone, parts);
  };
  const trees = tree(MESSAGE_PART, WHOLE, 2);

  test("fold to one receipt in whatever order and however often they are read", () => {
    const shuffled = trees.chain((rows) =>
      fc.tuple(
        fc.constant(rows),
        fc.shuffledSubarray([...rows, ...rows], { minLength: rows.length * 2, maxLength: rows.length * 2 }),
      ),
    );
    fc.assert(
      fc.property(shuffled, ([rows, again]) => {
        expect(fold(again, NOW)).toEqual(fold(rows, NOW));
      }),
    );
  });

  test("are in exactly one state, and are an ending only where nothing is left to do", () => {
    fc.assert(
      fc.property(trees, (rows) => {
        const receipt = fold(rows, NOW);
        expect([...ENDINGS, "delivering", "retrying"]).toContain(receipt?.state);
        const [own] = rows;
        const leaves = rows.filter((row) => !row.split);
        const isLeased = ({ ending, leaseUntil = 0, updatedAt }: ReceiptRow) =>
          !ending && leaseUntil > NOW && updatedAt <= (own?.cancelledAt ?? updatedAt);
        if (leaves.some(isLeased)) expect(receipt?.state).toBe("delivering");
      }),
    );
  });

  test("count what their leaves count", () => {
    fc.assert(
      fc.property(trees, (rows) => {
        const sum = (pick: (progress: Progress) => number) =>
          rows.reduce((total, row) => total + (row.split ? 0 : pick(row.progress ?? NO_PROGRESS)), 0);
        expect(fold(rows, NOW)?.counts).toEqual({
          sent: sum(({ counts }) => counts.sent),
          gone: sum(({ counts }) => counts.gone),
          failed: sum(({ counts }) => counts.failed),
          pending: sum(({ pending: waiting }) => waiting.length),
        });
      }),
    );
  });
});

describe("a run that meets a row", () => {
  test.each([
    { of: "nobody's lease", row: aRow(), kind: "open" },
    { of: "a lease under way", row: aRow({ leaseUntil: NOW + 1 }), kind: "leased", until: NOW + 1 },
    { of: "a lease that ran out", row: aRow({ leaseUntil: NOW }), kind: "open" },
    { of: "an ending", row: aRow({ ending: "delivered" }), kind: "over", why: "ended" },
    { of: "a dead letter that was redriven", row: aRow({ ending: "dead" }), kind: "open" },
    { of: "a cancel", row: aRow({ cancelledAt: NOW }), kind: "over", why: "cancelled" },
    { of: "another copy", row: aRow({ copy: "copy-0" }), kind: "over", why: "duplicate" },
    {
      of: "a split whose jobs are queued",
      row: aRow({ split: [LOW, HIGH], queued: true }),
      kind: "over",
      why: "split",
    },
    { of: "a split whose jobs are not", row: aRow({ split: [LOW, HIGH] }), kind: "open", split: [LOW, HIGH] },
    { of: "its own lease", row: aRow({ run: "me", leaseUntil: NOW + 1 }), kind: "open" },
  ])("of $of may do what it says: $kind", ({ row, ...found }) => {
    const { of: _, ...standingOf } = found;
    expect(standing(row, aJob(), "me", NOW)).toEqual(standingOf);
  });

  test.each([
    { of: "the same copy", row: aRow({ ending: "delivered", dedupeUntil: 0 }), is: false },
    {
      of: "a window that is open",
      row: aRow({ copy: "x", ending: "dead", dedupeUntil: NOW + 1 }),
      is: false,
    },
    { of: "unfinished work", row: aRow({ copy: "x", dedupeUntil: NOW }), is: false },
    { of: "an ending in the past", row: aRow({ copy: "x", ending: "dead", dedupeUntil: NOW }), is: true },
    { of: "a split in the past", row: aRow({ copy: "x", queued: true, dedupeUntil: NOW }), is: false },
    { of: "half a split", row: aRow({ copy: "x", split: [LOW, HIGH], dedupeUntil: NOW }), is: false },
    { of: "a cancel in the past", row: aRow({ copy: "x", cancelledAt: 1, dedupeUntil: NOW }), is: true },
    {
      of: "a cancel while a run delivers",
      row: aRow({ copy: "x", cancelledAt: 1, leaseUntil: NOW + 1, dedupeUntil: NOW }),
      is: false,
    },
  ])("of $of may start anew: $is", ({ row, is }) => {
    expect(replaceable(row, aJob(), NOW)).toBe(is);
  });

  test.each([
    { of: "all its jobs have ended", high: { ending: "partial" as const }, is: true },
    { of: "one job is still under way", high: { leaseUntil: NOW + 1 }, is: false },
  ])("a message may follow a split one of the same id where $of: $is", ({ high, is }) => {
    const own = aRow({ copy: "x", split: [LOW, HIGH], queued: true, dedupeUntil: NOW });
    const rows = [
      own,
      aRow({ copy: "x", part: jobPart("x", LOW), ending: "delivered" }),
      aRow({ copy: "x", part: jobPart("x", HIGH), ...high }),
    ];
    expect(isReplaceableSplit(rows, aJob(), NOW)).toBe(is);
  });
});
