import { expect, test } from "vitest";
import { NO_PROGRESS } from "../../shared/domain/receipt.ts";
import type { Receipts } from "../../shared/ports.ts";
import { NOW } from "../support/message.ts";
import { ANN, again, aJob, delivered, jobsOf, lease, progress, RANGES, stateOf } from "./receipt-parts.ts";

/** What every Receipts owes its callers where a message is cancelled. */
export function receiptsCancelContract(open: () => Receipts): void {
  test("a message cancelled before any run met it is over", async () => {
    const receipts = open();
    const job = aJob();
    await receipts.cancel(ANN, job.message.id, NOW);
    expect(await receipts.isCancelled(job)).toBe(true);
    expect(await receipts.claim(job, lease("a"), NOW)).toEqual({ kind: "over", why: "cancelled" });
    expect(await receipts.find(ANN, job.message.id, NOW)).toMatchObject({ state: "cancelled" });
  });

  test("a cancel stops a retry, but not an ending", async () => {
    const receipts = open();
    const job = aJob();
    await receipts.claim(job, lease("a"), NOW);
    await receipts.cancel(ANN, job.message.id, NOW);
    expect(await receipts.settle(job, "a", { kind: "retry", progress }, NOW)).toBe("cancelled");
    expect(
      await receipts.settle(job, "a", { kind: "ended", ending: "delivered", progress: NO_PROGRESS }, NOW),
    ).toBe("written");
    expect(await receipts.find(ANN, job.message.id, NOW)).toMatchObject({ state: "delivered" });
  });

  test("a split is not written over a cancel, but that its jobs are queued is", async () => {
    const receipts = open();
    const [before, between] = [aJob(), aJob()];
    for (const job of [before, between]) await receipts.claim(job, lease("a"), NOW);
    await receipts.cancel(ANN, before.message.id, NOW);
    expect(await receipts.settle(before, "a", { kind: "split", ranges: RANGES }, NOW)).toBe("cancelled");
    await receipts.settle(between, "a", { kind: "split", ranges: RANGES }, NOW);
    await receipts.cancel(ANN, between.message.id, NOW);
    expect(await receipts.settle(between, "a", { kind: "queued" }, NOW)).toBe("written");
    expect(await stateOf(receipts, between)).toBe("delivering");
    for (const job of jobsOf(between)) {
      await receipts.claim(job, lease("b"), NOW);
      await receipts.settle(job, "b", { kind: "ended", ending: "cancelled", progress: NO_PROGRESS }, NOW);
    }
    expect(await stateOf(receipts, between)).toBe("cancelled");
  });

  test("a cancelled message that was split stays open until its jobs are queued", async () => {
    const receipts = open();
    const job = aJob();
    await receipts.claim(job, lease("a"), NOW);
    await receipts.settle(job, "a", { kind: "split", ranges: RANGES }, NOW);
    await receipts.cancel(ANN, job.message.id, NOW);
    const later = NOW + 60_001;
    expect(await receipts.claim(job, lease("b", { until: later + 1 }), later)).toMatchObject({
      kind: "claimed",
      split: RANGES,
    });
    expect(await receipts.settle(job, "b", { kind: "split", ranges: RANGES }, later)).toBe("written");
  });

  test("says whether a message was cancelled, claimed or not, by any of its jobs", async () => {
    const receipts = open();
    const [met, unmet] = [aJob(), aJob()];
    await receipts.claim(met, lease("a"), NOW);
    for (const job of [met, unmet]) {
      const all = [job, ...jobsOf(job)];
      expect(await Promise.all(all.map(receipts.isCancelled))).toEqual([false, false, false]);
      await receipts.cancel(ANN, job.message.id, NOW);
      expect(await Promise.all(all.map(receipts.isCancelled))).toEqual([true, true, true]);
    }
  });

  test("a cancel of one copy is none of a later copy of the same id, which ends the first", async () => {
    const receipts = open();
    const job = aJob("first");
    await receipts.claim(job, lease("a"), NOW);
    await receipts.cancel(ANN, job.message.id, NOW);
    await receipts.settle(job, "a", { kind: "ended", ending: "cancelled", progress }, NOW);
    const later = again(job, "second", NOW + 300_000);
    expect(await receipts.claim(later, lease("b"), NOW + 300_000)).toEqual({ kind: "claimed" });
    expect(await receipts.isCancelled(later)).toBe(false);
    expect(await receipts.isCancelled(job)).toBe(true);
  });

  test("a message that is cancelled while a run delivers it is delivering until that run ends", async () => {
    const receipts = open();
    const job = aJob();
    await receipts.claim(job, lease("a"), NOW);
    await receipts.cancel(ANN, job.message.id, NOW + 1);
    expect(await stateOf(receipts, job, NOW + 1)).toBe("delivering");
    expect(await stateOf(receipts, job, NOW + 60_001)).toBe("cancelled");
  });

  test("a cancel changes no ending, and a second changes nothing", async () => {
    const receipts = open();
    const [ended, waiting] = [aJob(), aJob()];
    await receipts.claim(ended, lease("a"), NOW);
    await receipts.settle(ended, "a", delivered(1), NOW);
    await receipts.cancel(ANN, ended.message.id, NOW);
    expect(await stateOf(receipts, ended)).toBe("delivered");
    expect(await receipts.isCancelled(ended)).toBe(false);
    await receipts.cancel(ANN, waiting.message.id, NOW);
    const first = await receipts.find(ANN, waiting.message.id, NOW);
    await receipts.cancel(ANN, waiting.message.id, NOW + 1_000);
    expect(await receipts.find(ANN, waiting.message.id, NOW)).toEqual(first);
  });

  test("a dead letter that was cancelled is not delivered when it is redriven", async () => {
    const receipts = open();
    const job = aJob();
    await receipts.claim(job, lease("a"), NOW);
    await receipts.settle(job, "a", { kind: "ended", ending: "dead", progress }, NOW);
    await receipts.cancel(ANN, job.message.id, NOW);
    expect(await receipts.claim(job, lease("b"), NOW)).toEqual({ kind: "over", why: "cancelled" });
    expect(await stateOf(receipts, job)).toBe("cancelled");
  });
}
