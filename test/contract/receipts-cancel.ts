import { expect, test } from "vitest";
import type { Receipts } from "../../shared/ports.ts";
import type { Receipt } from "../../shared/receipts/receipt.ts";
import { NO_PROGRESS } from "../../shared/receipts/receipt.ts";
import { NOW } from "../support/message.ts";
import { ANN, again, aJob, delivered, jobsOf, lease, progress, RANGES, stateOf } from "./receipt-parts.ts";

/** What every Receipts owes its callers where a message is cancelled. */
export function receiptsCancelContract(open: () => Receipts): void {
  test("a message cancelled before any run met it is over", async () => {
    const receipts = open();
    const job = aJob();
    await receipts.cancel(ANN, job.message.id, NOW + 1);
    expect(await receipts.withdrawal(job)).toBe("cancelled");
    expect(await receipts.claim(job, lease("a"), NOW)).toEqual({ kind: "over", why: "cancelled" });
    expect(await receipts.find(ANN, job.message.id, NOW)).toMatchObject({ state: "cancelled" });
  });

  test("a cancel stops a retry, but not an ending", async () => {
    const receipts = open();
    const job = aJob();
    await receipts.claim(job, lease("a"), NOW);
    await receipts.cancel(ANN, job.message.id, NOW + 1);
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
    await receipts.cancel(ANN, job.message.id, NOW + 1);
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
      expect(await Promise.all(all.map(receipts.withdrawal))).toEqual(Array(3).fill(undefined));
      await receipts.cancel(ANN, job.message.id, NOW + 1);
      expect(await Promise.all(all.map(receipts.withdrawal))).toEqual(Array(3).fill("cancelled"));
    }
  });

  test("a cancel of one copy is none of a later copy of the same id, which ends the first", async () => {
    const receipts = open();
    const job = aJob("first");
    await receipts.claim(job, lease("a"), NOW);
    await receipts.cancel(ANN, job.message.id, NOW + 1);
    await receipts.settle(job, "a", { kind: "ended", ending: "cancelled", progress }, NOW);
    const later = again(job, "second", NOW + 300_000);
    expect(await receipts.claim(later, lease("b"), NOW + 300_000)).toEqual({ kind: "claimed", deaths: 0 });
    expect(await receipts.withdrawal(later)).toBeUndefined();
    expect(await receipts.withdrawal(job)).toBe("replaced");
  });

  test("the jobs of a message whose id a later one has are replaced, not cancelled", async () => {
    const receipts = open();
    const first = aJob("first");
    await receipts.claim(first, lease("a"), NOW);
    await receipts.settle(first, "a", { kind: "split", ranges: RANGES }, NOW);
    await receipts.settle(first, "a", { kind: "queued" }, NOW);
    const jobs = jobsOf(first);
    for (const job of jobs) {
      await receipts.claim(job, lease("b"), NOW);
      await receipts.settle(job, "b", { kind: "ended", ending: "dead", progress }, NOW);
    }
    const later = again(first, "second", NOW + 300_000);
    expect(await receipts.claim(later, lease("c"), NOW + 300_000)).toEqual({ kind: "claimed", deaths: 0 });
    const withdrawals = () => Promise.all([...jobs, later].map((job) => receipts.withdrawal(job)));
    expect(await withdrawals()).toEqual([...jobs.map(() => "replaced"), undefined]);
    await receipts.cancel(ANN, first.message.id, NOW + 300_001);
    expect(await withdrawals()).toEqual([...jobs.map(() => "replaced"), "cancelled"]);
    await receipts.settle(later, "c", delivered(1), NOW + 300_002);
    for (const job of jobs) {
      expect(await receipts.claim(job, lease("d"), NOW + 300_003)).toMatchObject({ kind: "claimed" });
      const replaced = { kind: "ended", ending: "replaced", progress } as const;
      expect(await receipts.settle(job, "d", replaced, NOW + 300_003)).toBe("written");
      expect(await receipts.claim(job, lease("e"), NOW + 300_004)).toEqual({ kind: "over", why: "ended" });
    }
    expect(await stateOf(receipts, later, NOW + 300_004)).toBe("delivered");
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
    expect(await receipts.withdrawal(ended)).toBeUndefined();
    await receipts.cancel(ANN, waiting.message.id, NOW + 1);
    const first = await receipts.find(ANN, waiting.message.id, NOW);
    await receipts.cancel(ANN, waiting.message.id, NOW + 1_001);
    expect(await receipts.find(ANN, waiting.message.id, NOW)).toEqual({
      ...(first as Receipt),
      updatedAt: "2026-01-01T00:00:01.001Z",
    });
  });

  test("a message that was posted after the cancel of its id is a new message, within the window too", async () => {
    const receipts = open();
    const [unmet, met] = [aJob("first"), aJob("first")];
    await receipts.claim(met, lease("a"), NOW);
    await receipts.settle(met, "a", { kind: "retry", progress }, NOW);
    for (const first of [unmet, met]) {
      await receipts.cancel(ANN, first.message.id, NOW + 1_000);
      const second = again(first, "second", NOW + 2_000);
      expect(await receipts.claim(second, lease("b"), NOW + 2_000)).toEqual({ kind: "claimed", deaths: 0 });
      expect(await receipts.withdrawal(second)).toBeUndefined();
      expect(await receipts.withdrawal(first)).toBe("replaced");
      expect(await receipts.settle(second, "b", delivered(1), NOW + 2_000)).toBe("written");
      expect(await stateOf(receipts, second, NOW + 2_000)).toBe("delivered");
    }
  });

  test("where two clocks leave the order open, a message is not cancelled", async () => {
    const receipts = open();
    const job = aJob();
    await receipts.cancel(ANN, job.message.id, NOW);
    expect(await receipts.withdrawal(job)).toBeUndefined();
    expect(await receipts.claim(job, lease("a"), NOW)).toEqual({ kind: "claimed", deaths: 0 });
  });

  test("a message that was posted after the cancel waits until the run of the first has stopped", async () => {
    const receipts = open();
    const first = aJob("first");
    await receipts.claim(first, lease("a"), NOW);
    await receipts.cancel(ANN, first.message.id, NOW + 1_000);
    const second = again(first, "second", NOW + 2_000);
    expect(await receipts.claim(second, lease("b"), NOW + 2_000)).toMatchObject({ kind: "leased" });
    await receipts.settle(first, "a", { kind: "ended", ending: "cancelled", progress }, NOW + 3_000);
    expect(await receipts.claim(second, lease("b"), NOW + 3_000)).toEqual({ kind: "claimed", deaths: 0 });
  });

  test("a cancel is about a message that nobody has met, after an ended one of its id", async () => {
    const receipts = open();
    const first = aJob("first");
    await receipts.claim(first, lease("a"), NOW);
    await receipts.settle(first, "a", delivered(1), NOW);
    const second = again(first, "second", NOW + 400_000);
    await receipts.cancel(ANN, first.message.id, NOW + 400_001);
    expect(await stateOf(receipts, first, NOW + 400_001)).toBe("delivered");
    expect(await receipts.claim(second, lease("b"), NOW + 400_002)).toEqual({
      kind: "over",
      why: "cancelled",
    });
    expect(await stateOf(receipts, second, NOW + 400_002)).toBe("cancelled");
  });

  test("the last of two cancels counts", async () => {
    const receipts = open();
    const [first, second] = [aJob("first"), aJob("second", NOW + 2_000)];
    const same = { message: { ...second.message, id: first.message.id } };
    await receipts.cancel(ANN, first.message.id, NOW + 1_000);
    await receipts.cancel(ANN, first.message.id, NOW + 3_000);
    expect(await receipts.claim(same, lease("a"), NOW + 4_000)).toEqual({ kind: "over", why: "cancelled" });
  });

  test("a dead letter that was cancelled is not delivered when it is redriven", async () => {
    const receipts = open();
    const job = aJob();
    await receipts.claim(job, lease("a"), NOW);
    await receipts.settle(job, "a", { kind: "ended", ending: "dead", progress }, NOW);
    await receipts.cancel(ANN, job.message.id, NOW + 1);
    expect(await receipts.claim(job, lease("b"), NOW)).toEqual({ kind: "over", why: "cancelled" });
    expect(await stateOf(receipts, job)).toBe("cancelled");
  });
}
