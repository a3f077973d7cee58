import { expect, test } from "vitest";
import type { Receipts } from "../../shared/ports.ts";
import type { ConnectionId } from "../../shared/protocol/tag.ts";
import { split, WHOLE } from "../../shared/receipts/hash-range.ts";
import type { Receipt } from "../../shared/receipts/receipt.ts";
import { NO_PROGRESS } from "../../shared/receipts/receipt.ts";
import { NOW } from "../support/message.ts";
import { ANN, again, aJob, delivered, jobsOf, lease, RANGES } from "./receipt-parts.ts";

/** What every Receipts owes its callers where a message is split into jobs. */
export function receiptsSplitContract(open: () => Receipts): void {
  test("a split keeps the lease until its jobs are queued, and then stands for them", async () => {
    const receipts = open();
    const job = aJob();
    await receipts.claim(job, lease("a"), NOW);
    expect(await receipts.settle(job, "a", { kind: "split", ranges: RANGES }, NOW)).toBe("written");
    expect(await receipts.claim(job, lease("b"), NOW)).toMatchObject({ kind: "leased" });
    expect(await receipts.settle(job, "a", { kind: "queued" }, NOW)).toBe("written");
    expect(await receipts.claim(job, lease("b"), NOW)).toEqual({ kind: "over", why: "split" });
  });

  test("a split whose run died before its jobs were queued is found by the next, at the same ranges", async () => {
    const receipts = open();
    const job = aJob();
    await receipts.claim(job, lease("a"), NOW);
    await receipts.settle(job, "a", { kind: "split", ranges: RANGES }, NOW);
    expect(await receipts.claim(job, lease("b"), NOW + 60_001)).toEqual({
      kind: "claimed",
      split: RANGES,
      deaths: 0,
    });
  });

  test("the receipt of a split message counts over its jobs, and ends with the last of them", async () => {
    const receipts = open();
    const job = aJob();
    const [low, high] = jobsOf(job);
    await receipts.claim(job, lease("a"), NOW);
    await receipts.settle(job, "a", { kind: "split", ranges: RANGES }, NOW);
    await receipts.settle(job, "a", { kind: "queued" }, NOW);
    await receipts.claim(low, lease("b"), NOW);
    await receipts.settle(low, "b", delivered(2), NOW);
    expect(await receipts.find(ANN, job.message.id, NOW)).toMatchObject({ state: "delivering", jobs: 2 });
    await receipts.claim(high, lease("c"), NOW);
    await receipts.settle(high, "c", delivered(3), NOW);
    await receipts.settle(high, "c", delivered(3), NOW);
    expect(await receipts.find(ANN, job.message.id, NOW)).toMatchObject({
      state: "delivered",
      counts: { sent: 5 },
    });
  });

  test("jobs of one message are claimed each on its own", async () => {
    const receipts = open();
    const [low, high] = jobsOf(aJob());
    expect(await receipts.claim(low, lease("a"), NOW)).toEqual({ kind: "claimed", deaths: 0 });
    expect(await receipts.claim(high, lease("b"), NOW)).toEqual({ kind: "claimed", deaths: 0 });
    expect(await receipts.claim(low, lease("c"), NOW)).toMatchObject({ kind: "leased" });
  });

  test("an id that comes again after its window is a duplicate until all jobs of the first have ended", async () => {
    const receipts = open();
    const job = aJob("first");
    const [low, high] = jobsOf(job);
    await receipts.claim(job, lease("a"), NOW);
    await receipts.settle(job, "a", { kind: "split", ranges: RANGES }, NOW);
    await receipts.settle(job, "a", { kind: "queued" }, NOW);
    await receipts.claim(low, lease("b"), NOW);
    await receipts.settle(low, "b", delivered(2), NOW);
    await receipts.claim(high, lease("c"), NOW);
    const later = again(job, "second", NOW + 300_000);
    expect(await receipts.claim(later, lease("d"), NOW)).toEqual({ kind: "over", why: "duplicate" });
    await receipts.settle(high, "c", delivered(3), NOW);
    expect(await receipts.claim(later, lease("e"), NOW)).toEqual({ kind: "claimed", deaths: 0 });
    expect(await receipts.find(ANN, job.message.id, NOW)).toMatchObject({
      state: "delivering",
      counts: { sent: 0 },
    });
  });

  test("the receipt of a message that failed everywhere names a hundred connections and counts them all", async () => {
    const receipts = open();
    const job = aJob();
    const ranges = split(WHOLE, 20);
    await receipts.claim(job, lease("a"), NOW);
    await receipts.settle(job, "a", { kind: "split", ranges }, NOW);
    await receipts.settle(job, "a", { kind: "queued" }, NOW);
    for (const [number, range] of ranges.entries()) {
      const run = `run-${number}`;
      const pending = Array.from({ length: 30 }, (_, i) => ({
        connectionId: `c${number}-${i}` as ConnectionId,
        connectedAt: NOW,
      }));
      await receipts.claim({ ...job, range }, lease(run), NOW);
      const progress = { ...NO_PROGRESS, pending };
      await receipts.settle({ ...job, range }, run, { kind: "ended", ending: "dead", progress }, NOW);
    }
    const receipt = await receipts.find(ANN, job.message.id, NOW);
    expect(receipt).toMatchObject({ state: "dead", jobs: 20, counts: { pending: 600 } });
    expect(new Set((receipt as Receipt).failed).size).toBe(100);
  });
}
