import { expect, test } from "vitest";
import type { Receipts } from "../../shared/ports.ts";
import type { Job } from "../../shared/receipts/job.ts";
import { NOW } from "../support/message.ts";
import {
  ANN,
  again,
  aJob as aJobOf,
  delivered,
  jobsOf,
  lease,
  progress,
  RANGES,
  stateOf,
} from "./receipt-parts.ts";

const DAY = 86_400_000;

/** A message whose receipt keeps failures only. */
const aJob = (acceptanceId?: string): Job => {
  const { message } = aJobOf(acceptanceId);
  return { message: { ...message, keeps: "failures" } };
};

/** What every Receipts owes its callers, whatever it is made of: receipts that keep failures only. */
export function receiptsFailuresContract(open: () => Receipts): void {
  test("says that it is being delivered while its first run has the lease, and then that nothing is recorded", async () => {
    const receipts = open();
    const job = aJob();
    await receipts.claim(job, lease("a"), NOW);
    // Another process may not find what a first claim has not put on its disk.
    expect(["delivering", undefined]).toContain(await stateOf(receipts, job, NOW + 59_999));
    expect(["unrecorded", undefined]).toContain(await stateOf(receipts, job, NOW + 60_000));
  });

  test.each([
    "delivered",
    "partial",
    "no-recipients",
    "expired",
    "cancelled",
    "dead",
  ] as const)("keeps an ending that is written: %s", async (ending) => {
    const receipts = open();
    const job = aJob();
    await receipts.claim(job, lease("a"), NOW);
    await receipts.settle(job, "a", { kind: "ended", ending, progress }, NOW);
    expect(await stateOf(receipts, job, NOW + DAY)).toBe(ending);
  });

  test("keeps a retry that is written, and the run that follows finds it", async () => {
    const receipts = open();
    const job = aJob();
    await receipts.claim(job, lease("a"), NOW);
    await receipts.settle(job, "a", { kind: "retry", progress, reason: "429" }, NOW);
    expect(await stateOf(receipts, job, NOW + 60_000)).toBe("retrying");
    const next = lease("b", { receive: 2, until: NOW + 120_000, returnsAt: NOW + 420_000 });
    expect(await receipts.claim(job, next, NOW + 60_000)).toEqual({ kind: "claimed", progress, deaths: 0 });
    expect(await stateOf(receipts, job, NOW + 120_000)).toBe("retrying");
  });

  test("counts the death of its first run, if the message came back by its full visibility timeout", async () => {
    const receipts = open();
    const job = aJob();
    await receipts.claim(job, lease("a"), NOW);
    const next = lease("b", { receive: 2, until: NOW + 420_000, returnsAt: NOW + 720_000 });
    expect(await receipts.claim(job, next, NOW + 360_000)).toEqual({ kind: "suspect", deaths: 1 });
    expect(await stateOf(receipts, job, NOW + 360_000)).toBe("retrying");
  });

  test("says that a message is tried again if a run has died that received it again", async () => {
    const receipts = open();
    const job = aJob();
    await receipts.claim(job, lease("a"), NOW);
    const next = lease("b", { receive: 2, until: NOW + 130_000, returnsAt: NOW + 430_000 });
    expect(await receipts.claim(job, next, NOW + 70_000)).toEqual({ kind: "claimed", deaths: 0 });
    expect(await stateOf(receipts, job, NOW + 130_000)).toBe("retrying");
  });

  test("a cancel after it does not make it cancelled, since it may have been delivered", async () => {
    const receipts = open();
    const job = aJob();
    await receipts.claim(job, lease("a"), NOW);
    await receipts.cancel(ANN, job.message.id, NOW + 1_000);
    expect(await stateOf(receipts, job, NOW + 1_000)).toBe("delivering");
    expect(await stateOf(receipts, job, NOW + 60_000)).toBe("unrecorded");
    const next = lease("b", { receive: 2, until: NOW + 420_000, returnsAt: NOW + 720_000 });
    expect(await receipts.claim(job, next, NOW + 360_000)).toEqual({ kind: "over", why: "cancelled" });
  });

  test("another copy of its id is a duplicate until its own message can no longer come back, and then a new one", async () => {
    const receipts = open();
    const job = aJob();
    await receipts.claim(job, lease("a"), NOW);
    // Its visibility timeout ends at 360 s, and its row a day later.
    const over = NOW + 360_000 + DAY;
    const claim = (at: number) =>
      receipts.claim(again(job, `at ${at}`, at), lease(`at ${at}`, { until: at, returnsAt: at }), at);
    expect(await claim(over - 1)).toEqual({ kind: "over", why: "duplicate" });
    expect(await claim(over)).toEqual({ kind: "claimed", deaths: 0 });
  });

  test("a split one keeps all that its jobs came to", async () => {
    const receipts = open();
    const job = aJob();
    await receipts.claim(job, lease("a"), NOW);
    await receipts.settle(job, "a", { kind: "split", ranges: RANGES }, NOW);
    await receipts.settle(job, "a", { kind: "queued" }, NOW);
    for (const part of jobsOf(job)) {
      await receipts.claim(part, lease("b"), NOW);
      expect(await stateOf(receipts, job, NOW + 60_000)).not.toBe("unrecorded");
      await receipts.settle(part, "b", delivered(3), NOW);
    }
    expect(await receipts.find(ANN, job.message.id, NOW + 60_000)).toMatchObject({
      state: "delivered",
      counts: { sent: 6 },
    });
  });
}
