import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Lease, Outcome } from "../../shared/ports.ts";
import { WHOLE } from "../../shared/receipts/hash-range.ts";
import { NO_PROGRESS } from "../../shared/receipts/receipt.ts";
import { MESSAGE_PART, type ReceiptRow } from "../../shared/receipts/row.ts";
import {
  isMessageUnrecorded,
  isUnrecorded,
  type RowEvent,
  type RowState,
  rowState,
  TRANSITIONS,
} from "../../shared/receipts/states.ts";
import { memoryReceipts } from "../../testing/memory/receipts.ts";
import { seeded } from "../../testing/random.ts";
import { aJob, NOW } from "../support/message.ts";

const arrows = (table: Readonly<Record<string, Partial<Record<string, string>>>>): string[] =>
  Object.entries(table)
    .flatMap(([from, events]) => Object.entries(events).map(([event, to]) => ({ from, event, to })))
    .filter(({ from, to }) => from !== to)
    .map(({ from, event, to }) => `${from} --> ${to}: ${event}`)
    .toSorted();

const OUTCOMES: readonly (readonly [RowEvent, Outcome])[] = [
  ["retry", { kind: "retry", progress: NO_PROGRESS }],
  ["end", { kind: "ended", ending: "delivered", progress: NO_PROGRESS }],
  ["dead", { kind: "ended", ending: "dead", progress: NO_PROGRESS }],
];

const LEASE: Lease = {
  run: "job-run",
  entryId: "entry",
  receive: 1,
  until: NOW,
  returnsAt: NOW,
  onFinalReceive: false,
  suspects: true,
};

/** Runs random claims, outcomes, cancels and pauses against one id, and records how its row changed. */
async function walk(seed: number, seen: Record<string, Record<string, string>>): Promise<void> {
  const next = seeded(seed);
  const chance = (part: number) => next() < part;
  const receipts = memoryReceipts();
  const { producer, id } = aJob().message;
  const rowNow = () => receipts.rowsOf(producer, id)[0];
  let now = NOW;
  let acceptance = 1;
  let posted = NOW;
  let holder: { job: ReturnType<typeof aJob>; run: string; split: boolean } | undefined;
  const record = (before: RowState, event: RowEvent) => {
    const after = rowState(rowNow(), now);
    const known = seen[before]?.[event];
    if (known !== undefined) expect(after, `${before}, ${event}`).toBe(known);
    seen[before] = { ...seen[before], [event]: after };
  };

  for (let step = 0; step < 12; step++) {
    const before = rowState(rowNow(), now);
    const pick = next();
    if (pick < 0.3) {
      if (chance(0.4)) {
        acceptance++;
        posted = now - (chance(0.5) ? 400_000 : 0);
      }
      const job = aJob({
        acceptanceId: `acceptance-${acceptance}`,
        time: new Date(posted).toISOString(),
        dedupeSeconds: 0,
      });
      const run = `run-${step}`;
      const lease: Lease = {
        ...LEASE,
        run,
        receive: (rowNow()?.receive ?? 0) + 1,
        until: now + 20_000,
        returnsAt: now + 60_000,
        suspects: chance(0.5),
      };
      const row = rowNow();
      const claim = await receipts.claim(job, lease, now);
      if (claim.kind === "claimed") {
        holder = { job, run, split: false };
        record(before, "claim");
      } else if (rowNow() !== row) record(before, claim.kind === "suspect" ? "death" : "drop");
    } else if (pick < 0.6 && holder) {
      const { job, run, split } = holder;
      const isSplit = split || chance(0.3);
      const outcome: Outcome = split ? { kind: "queued" } : { kind: "split", ranges: [WHOLE] };
      const [event, written] = isSplit
        ? ([split ? "queued" : "split", outcome] as const)
        : (OUTCOMES[Math.floor(next() * OUTCOMES.length)] ?? ["end", outcome]);
      const settled = await receipts.settle(job, run, written, now);
      if (settled === "written") record(before, event);
      else expect(rowState(rowNow(), now)).toBe(before);
      holder = settled === "written" && event === "split" ? { job, run, split: true } : undefined;
      if (rowState(rowNow(), now) === "queued" && chance(0.7)) {
        const part = { ...job, range: WHOLE };
        await receipts.claim(part, LEASE, now);
        await receipts.settle(
          part,
          LEASE.run,
          { kind: "ended", ending: "delivered", progress: NO_PROGRESS },
          now,
        );
      }
    } else if (pick < 0.75) {
      await receipts.cancel(producer, id, now);
      record(before, "cancel");
    } else {
      now += chance(0.5) ? 25_000 : 65_000;
      if (rowState(rowNow(), now) !== before) record(before, "lapse");
    }
  }
}

test("a receipt's row changes its state exactly as the table of transitions says", async () => {
  const seen: Record<string, Record<string, string>> = {};
  for (let seed = 1; seed <= 3_000; seed++) await walk(seed, seen);
  expect(arrows(seen)).toEqual(arrows(TRANSITIONS));
});

test("the diagram in docs/flow.md is the table of transitions", () => {
  const page = readFileSync(new URL("../../docs/flow.md", import.meta.url), "utf8");
  const diagram = /```mermaid\nstateDiagram-v2\n([\s\S]*?)```/.exec(page)?.[1] ?? "";
  const drawn = diagram
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  expect(drawn.toSorted()).toEqual(arrows(TRANSITIONS));
});

const CLAIMED: ReceiptRow = {
  ...{ v: 1, producer: aJob().message.producer, id: aJob().message.id, part: MESSAGE_PART, updatedAt: NOW },
  ...{ acceptanceId: "a", keeps: "failures", run: "run", receive: 1, leaseUntil: NOW },
};

test.each<{ why: string; has: object; is: boolean }>([
  { why: "its only run was never heard of again", has: {}, is: true },
  { why: "its receipt keeps all", has: { keeps: undefined }, is: false },
  { why: "it was received again", has: { receive: 2 }, is: false },
  { why: "a run wrote counts", has: { counts: NO_PROGRESS.counts }, is: false },
  { why: "it was split", has: { split: [WHOLE] }, is: false },
  { why: "its run may still be at it", has: { leaseUntil: NOW + 1 }, is: false },
  { why: "it has an ending", has: { ending: "dead" }, is: false },
])("how a message ended that keeps failures only is unknown where $why: $is", ({ has, is }) => {
  const row = { ...CLAIMED, ...has } as ReceiptRow;
  expect(isUnrecorded(row, NOW)).toBe(is);
  const part = { ...CLAIMED, part: "job#a#00-80" };
  expect(isMessageUnrecorded([part, row], NOW)).toBe(is);
  expect(isMessageUnrecorded([part], NOW)).toBe(false);
});
