import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MessageId } from "../../shared/protocol/message.ts";
import type { ConnectionId, UserId } from "../../shared/protocol/tag.ts";
import { claimability } from "../../shared/receipts/claimability.ts";
import { fold, rowsWithNames } from "../../shared/receipts/fold.ts";
import { type HashRange, split, WHOLE } from "../../shared/receipts/hash-range.ts";
import { ENDINGS, endingOf } from "../../shared/receipts/receipt.ts";
import {
  type Details,
  dedupeUntil,
  detailPart,
  jobPart,
  MESSAGE_PART,
  type ReceiptRow,
} from "../../shared/receipts/row.ts";
import { isLeased } from "../../shared/receipts/states.ts";
import { aJob, aMessage, NOW } from "../support/message.ts";

const aRow = (fields: Partial<ReceiptRow> = {}): ReceiptRow => ({
  v: 1,
  producer: "ann" as UserId,
  id: "m-1" as MessageId,
  part: MESSAGE_PART,
  acceptanceId: "acceptance-1",
  time: new Date(NOW).toISOString(),
  dedupeUntil: NOW + 300_000,
  run: "run",
  leaseUntil: 0,
  receive: 1,
  onFinalReceive: false,
  updatedAt: NOW,
  ...fields,
});
const counted = (sent: number, gone = 0, failed = 0) => ({ counts: { sent, gone, failed } });
/** One connection that is still to be sent to. */
const PENDING = { ...counted(0), pending: 1, details: "run" };
const names = (pending: readonly string[], failed: readonly string[] = []): Details => ({
  pending: pending.map((name) => ({ connectionId: name as ConnectionId, connectedAt: NOW })),
  failed: failed as ConnectionId[],
});
const [LOW, HIGH] = split(WHOLE, 2) as [HashRange, HashRange];
const [LOWEST, LOWER] = split(LOW, 2) as [HashRange, HashRange];
const part = (range: HashRange) => jobPart("acceptance-1", range);

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
    { of: "a run that left something", rows: [aRow(PENDING)], state: "retrying" },
    { of: "a run whose lease ran out", rows: [aRow({ leaseUntil: NOW })], state: "retrying" },
    {
      of: "a run on the final receive whose lease ran out",
      rows: [aRow({ onFinalReceive: true })],
      state: "dead",
    },
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
    const died = aRow({ ...PENDING, onFinalReceive: true, counts: { sent: 0, gone: 0, failed: 1 } });
    const details = new Map([[MESSAGE_PART, names(["b"], ["a"])]]);
    expect(rowsWithNames([died], NOW)).toEqual([died]);
    expect(fold([died], NOW, details)).toMatchObject({
      state: "dead",
      failed: ["a", "b"],
      reason: expect.stringContaining("SQS moved it to the dead-letter queue"),
    });
    expect(fold([aRow(PENDING)], NOW, details)).toMatchObject({ failed: ["a"] });
    expect(rowsWithNames([aRow(PENDING)], NOW)).toEqual([]);
  });

  test("of a broadcast that failed everywhere names a hundred, from as few rows as have them", () => {
    const ranges = split(WHOLE, 400);
    const jobs = ranges.map((range) =>
      aRow({ part: part(range), ...PENDING, pending: 40, ending: "dead", details: "run" }),
    );
    const rows = [aRow({ split: ranges, queued: true }), ...jobs];
    const named = rowsWithNames(rows, NOW);
    expect(named).toHaveLength(3);
    const forty = names(Array.from({ length: 40 }, (_, i) => `c${i}`));
    const receipt = fold(rows, NOW, new Map(named.map((row) => [row.part, forty])));
    expect(receipt?.failed).toHaveLength(100);
    expect(receipt).toMatchObject({ state: "dead", jobs: 400, counts: { pending: 16_000 } });
  });

  test("counts over all jobs, and takes no notice of the jobs of another acceptance", () => {
    const rows = [
      aRow({ split: [LOW, HIGH], receive: 1 }),
      aRow({ part: part(LOW), ending: "delivered", ...counted(3, 1), receive: 2 }),
      aRow({ part: part(HIGH), ...counted(0), pending: 1, updatedAt: NOW + 5 }),
      aRow({ part: jobPart("acceptance-0", LOW), ending: "dead", ...counted(100) }),
    ];
    expect(fold(rows, NOW)).toMatchObject({
      state: "retrying",
      counts: { sent: 3, gone: 1, failed: 0, pending: 1 },
      attempts: 2,
      jobs: 2,
      updatedAt: "2026-01-01T00:00:00.005Z",
    });
  });

  test.each([
    { state: "delivered", rows: [aRow({ ending: "delivered", reason: "429" })], reason: undefined },
    { state: "no-recipients", rows: [aRow({ ending: "no-recipients", reason: "429" })], reason: undefined },
    { state: "retrying", rows: [aRow({ reason: "429" })], reason: "429" },
    { state: "retrying", rows: [aRow()], reason: undefined },
    { state: "partial", rows: [aRow({ ending: "partial" })], reason: undefined },
    { state: "dead", rows: [aRow({ ending: "dead" })], reason: undefined },
    { state: "dead", rows: [aRow({ onFinalReceive: true, reason: "503" })], reason: "503" },
  ])("that says $state gives the reason $reason", ({ state, rows, reason }) => {
    expect(fold(rows, NOW)).toMatchObject({ state, ...(reason ? { reason } : {}) });
    if (reason === undefined) expect(fold(rows, NOW)).not.toHaveProperty("reason");
  });

  test("says nothing of a time, of jobs, of a reason or of failures that it does not know of", () => {
    const { time: _, ...row } = aRow({ ending: "delivered", ...counted(1) });
    expect(fold([row], NOW)).toEqual({
      ...{ id: "m-1", producer: "ann", state: "delivered", attempts: 1 },
      counts: { sent: 1, gone: 0, failed: 0, pending: 0 },
      updatedAt: "2026-01-01T00:00:00.000Z",
    });
    expect(fold([aRow()], NOW)).toMatchObject({ time: "2026-01-01T00:00:00.000Z" });
  });

  test("of a split whose last receive queued only a part is dead, and a cancel does not end it by itself", () => {
    const rows = [aRow({ split: [LOW, HIGH], onFinalReceive: true })];
    expect(fold(rows, NOW)).toMatchObject({ state: "dead", attempts: 0, jobs: 2 });
    expect(fold([aRow({ split: [LOW, HIGH], cancelledAt: NOW })], NOW)).toMatchObject({ state: "retrying" });
  });

  test("reads names only of rows that have some, and no more than it has room for", () => {
    const lost = { ...counted(0, 0, 50), ending: "partial" as const };
    const rows = split(WHOLE, 4).map((range, i) =>
      aRow({ part: part(range), ...lost, ...(i === 0 ? {} : { details: "run" }) }),
    );
    const all = [aRow({ split: split(WHOLE, 4), queued: true }), ...rows];
    expect(rowsWithNames(all, NOW)).toEqual(rows.slice(1, 3));
    expect(rowsWithNames([], NOW)).toEqual([]);
    expect(rowsWithNames([aRow({ split: [LOW, HIGH], queued: true })], NOW)).toEqual([]);
  });

  test("is none where the message has no row of its own", () => {
    expect(fold([], NOW)).toBeUndefined();
    expect(fold([aRow({ part: part(LOW) })], NOW)).toBeUndefined();
  });
});

describe("rows of a message that was split, and split again", () => {
  const leaf = fc.record(
    {
      counts: fc.record({ sent: fc.nat(9), gone: fc.nat(9), failed: fc.nat(9) }),
      pending: fc.nat(3),
      ending: fc.constantFrom(...ENDINGS),
      leaseUntil: fc.constantFrom(0, NOW, NOW + 1),
      receive: fc.integer({ min: 1, max: 5 }),
      onFinalReceive: fc.boolean(),
      cancelledAt: fc.constant(NOW),
      reason: fc.constantFrom("429", "500"),
      updatedAt: fc.constantFrom(NOW, NOW + 1, NOW + 2),
    },
    { requiredKeys: ["receive", "onFinalReceive", "updatedAt"] },
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
        const sum = (pick: (row: ReceiptRow) => number | undefined) =>
          rows.reduce((total, row) => total + (row.split ? 0 : (pick(row) ?? 0)), 0);
        expect(fold(rows, NOW)?.counts).toEqual({
          sent: sum(({ counts }) => counts?.sent),
          gone: sum(({ counts }) => counts?.gone),
          failed: sum(({ counts }) => counts?.failed),
          pending: sum(({ pending }) => pending),
        });
      }),
    );
  });
});

describe("a run that meets a row", () => {
  const ME = { run: "me", entryId: "entry", receive: 2, suspects: false };
  const BACK = NOW - 1;
  const died = { leaseUntil: 1, returnsAt: BACK, entryId: "entry", receive: 1 };
  test.each([
    { of: "nobody's lease", row: aRow(), kind: "open" },
    { of: "a lease under way", row: aRow({ leaseUntil: NOW + 1 }), kind: "leased", until: NOW + 1 },
    { of: "a lease that ran out", row: aRow({ leaseUntil: NOW }), kind: "open" },
    { of: "a run that died", row: aRow(died), kind: "died", deaths: 1 },
    { of: "a third run that died", row: aRow({ ...died, deaths: 2 }), kind: "died", deaths: 3 },
    { of: "earlier deaths", row: aRow({ deaths: 2 }), kind: "suspect", deaths: 2 },
    {
      of: "a lease whose run gave the message back early",
      row: aRow({ ...died, returnsAt: NOW + 1 }),
      kind: "open",
    },
    { of: "a lease with a receive in between", row: aRow({ ...died, receive: 0 }), kind: "open" },
    {
      of: "a run that had another entry of the queue and may have died",
      row: aRow({ ...died, entryId: "x" }),
      kind: "leased",
      until: BACK + 5_000,
    },
    {
      of: "a run that had another entry of the queue and did not come back",
      row: aRow({ ...died, entryId: "x", returnsAt: NOW - 5_000 }),
      kind: "open",
    },
    { of: "an ending", row: aRow({ ending: "delivered" }), kind: "over", why: "ended" },
    { of: "a dead letter that was redriven", row: aRow({ ending: "dead", deaths: 5 }), kind: "open" },
    { of: "a cancel", row: aRow({ cancelledAt: NOW }), kind: "over", why: "cancelled" },
    { of: "another acceptance", row: aRow({ acceptanceId: "x" }), kind: "over", why: "duplicate" },
    { of: "a newer deployment", row: aRow({ v: 2 }), kind: "newer", version: 2 },
    {
      of: "jobs that are queued",
      row: aRow({ split: [LOW, HIGH], queued: true }),
      kind: "over",
      why: "split",
    },
    { of: "jobs that are not", row: aRow({ split: [LOW, HIGH] }), kind: "open" },
    {
      of: "jobs that are not, of a cancelled one",
      row: aRow({ split: [LOW, HIGH], cancelledAt: 1 }),
      kind: "open",
    },
    {
      of: "a run that died just as it returned",
      row: aRow({ ...died, returnsAt: NOW }),
      kind: "died",
      deaths: 1,
    },
    {
      of: "a run that has written and whose receive is the one before",
      row: aRow({ ...died, leaseUntil: 0 }),
      kind: "open",
    },
    { of: "its own lease", row: aRow({ run: "me", leaseUntil: NOW + 1 }), kind: "open" },
  ])("of $of may do what it says: $kind", ({ row, of, ...found }) => {
    expect(claimability(row, aJob(), ME, NOW), of).toEqual(found);
  });

  test("takes a suspect if it is willing to", () => {
    expect(claimability(aRow({ deaths: 2 }), aJob(), { ...ME, suspects: true }, NOW)).toEqual({
      kind: "open",
    });
  });

  /** The row of an earlier message with this id, as the message of `aJob` meets it. It was accepted at NOW. */
  const earlier = (fields: Partial<ReceiptRow>) => aRow({ acceptanceId: "x", dedupeUntil: NOW, ...fields });
  const NEW = { kind: "replaceable", cancelled: false };
  const DUPLICATE = { kind: "over", why: "duplicate" };
  test.each([
    { of: "a window that is open", row: earlier({ ending: "dead", dedupeUntil: NOW + 1 }), is: DUPLICATE },
    { of: "unfinished work", row: earlier({}), is: DUPLICATE },
    { of: "an ending in the past", row: earlier({ ending: "dead" }), is: NEW },
    { of: "half a split", row: earlier({ split: [LOW, HIGH] }), is: DUPLICATE },
    { of: "a cancel before it", row: earlier({ cancelledAt: NOW - 1, dedupeUntil: NOW + 1 }), is: NEW },
    { of: "a cancel at the same time", row: earlier({ cancelledAt: NOW, dedupeUntil: NOW + 1 }), is: NEW },
    {
      of: "a cancel before it, while a run delivers",
      row: earlier({ cancelledAt: NOW - 1, leaseUntil: NOW + 1 }),
      is: { kind: "leased", until: NOW + 10_000 },
    },
    {
      of: "a cancel after it, of an ended one",
      row: earlier({ ending: "delivered", cancelledAt: NOW + 1 }),
      is: { kind: "replaceable", cancelled: true },
    },
  ])("after $of does what the two accepted messages say", ({ row, is }) => {
    expect(claimability(row, aJob(), ME, NOW)).toEqual(is);
  });

  test.each([
    { of: "all its jobs have ended", high: { ending: "partial" as const }, is: NEW },
    { of: "one job is still under way", high: { leaseUntil: NOW + 1 }, is: DUPLICATE },
  ])("after a split message of which $of: $is.kind", ({ high, is }) => {
    const own = earlier({ split: [LOW, HIGH], queued: true });
    const rows = [
      own,
      earlier({ part: jobPart("x", LOW), ending: "delivered" }),
      earlier({ part: jobPart("x", HIGH), ...high }),
    ];
    expect(claimability(own, aJob(), ME, NOW, rows)).toEqual(is);
  });
});

test("a window of five minutes ends five minutes after the message was accepted", () => {
  expect(dedupeUntil(aMessage({ dedupeSeconds: 300 }))).toBe(NOW + 300_000);
});

test("names sort after every part of a receipt", () => {
  expect(detailPart(MESSAGE_PART, "run")).toBe("names#message#run");
  expect([part(HIGH), MESSAGE_PART].every((name) => name < detailPart(name, "run"))).toBe(true);
});

test.each([
  { of: "a run holds", row: { leaseUntil: NOW + 1 }, is: true },
  { of: "a run held until now", row: { leaseUntil: NOW }, is: false },
  { of: "has ended while a run holds it", row: { leaseUntil: NOW + 1, ending: "dead" as const }, is: false },
])("a row that $of is leased: $is", ({ row, is }) => {
  expect(isLeased(aRow(row), NOW)).toBe(is);
});
