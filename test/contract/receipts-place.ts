import { expect, test } from "vitest";
import type { Receipts } from "../../shared/ports.ts";
import { NO_PROGRESS } from "../../shared/receipts/receipt.ts";
import { NOW } from "../support/message.ts";
import { again, aJob, jobsOf, lease, progress, RANGES } from "./receipt-parts.ts";

const LATER = NOW + 60_001;
const CLAIMED = { kind: "claimed", deaths: 0 };

/** What every Receipts owes its callers whose messages have a place in a stream. */
export function receiptsPlaceContract(open: () => Receipts): void {
  test("a run that takes over one which left no number is told where that one may have appended", async () => {
    const receipts = open();
    const job = aJob();
    expect(await receipts.claim(job, lease("a", { after: 41 }), NOW)).toEqual(CLAIMED);
    const second = lease("b", { after: 50, until: LATER + 60_000 });
    expect(await receipts.claim(job, second, LATER)).toEqual({ ...CLAIMED, after: 41 });
    // The first may have appended and the second not have looked yet.
    const third = lease("c", { after: 60 });
    expect(await receipts.claim(job, third, LATER + 60_001)).toEqual({ ...CLAIMED, after: 41 });
  });

  test("a retry without a number keeps the place, since the append may have been written", async () => {
    const receipts = open();
    const job = aJob();
    await receipts.claim(job, lease("a", { after: 41 }), NOW);
    await receipts.settle(job, "a", { kind: "retry", progress }, NOW);
    expect(await receipts.claim(job, lease("b", { after: 50 }), NOW)).toEqual({
      ...CLAIMED,
      progress,
      after: 41,
    });
  });

  test("a row whose first run knew no stream has the place of the first that did", async () => {
    const receipts = open();
    const job = aJob();
    await receipts.claim(job, lease("a"), NOW);
    const second = lease("b", { after: 50, until: LATER + 60_000 });
    expect(await receipts.claim(job, second, LATER)).toEqual(CLAIMED);
    expect(await receipts.claim(job, lease("c", { after: 60 }), LATER + 60_001)).toEqual({
      ...CLAIMED,
      after: 50,
    });
  });

  test("the number that a retry leaves is what the next run finds", async () => {
    const receipts = open();
    const job = aJob();
    await receipts.claim(job, lease("a", { after: 41 }), NOW);
    await receipts.settle({ ...job, seq: 42 }, "a", { kind: "retry", progress }, NOW);
    expect(await receipts.claim(job, lease("b", { after: 50 }), NOW)).toEqual({
      ...CLAIMED,
      progress,
      seq: 42,
    });
    await receipts.settle({ ...job, seq: 42 }, "b", { kind: "ended", ending: "dead", progress }, NOW);
    expect(await receipts.claim(job, lease("c", { after: 60 }), NOW)).toEqual({
      ...CLAIMED,
      progress,
      seq: 42,
    });
  });

  test("a split leaves its number to the run that queues its jobs", async () => {
    const receipts = open();
    const job = aJob();
    await receipts.claim(job, lease("a", { after: 41 }), NOW);
    await receipts.settle({ ...job, seq: 42 }, "a", { kind: "split", ranges: RANGES }, NOW);
    expect(await receipts.claim(job, lease("b", { after: 50 }), LATER)).toEqual({
      ...CLAIMED,
      split: RANGES,
      seq: 42,
    });
  });

  test("a cancelled message names its number or where to look for it, so that it can be emptied", async () => {
    const receipts = open();
    const [numbered, plain] = [aJob(), aJob()];
    for (const job of [numbered, plain]) await receipts.claim(job, lease("a", { after: 41 }), NOW);
    await receipts.settle({ ...numbered, seq: 42 }, "a", { kind: "retry", progress }, NOW);
    await receipts.settle(plain, "a", { kind: "retry", progress }, NOW);
    for (const { message } of [numbered, plain]) await receipts.cancel(message.producer, message.id, NOW + 1);
    const over = { kind: "over", why: "cancelled" };
    expect(await receipts.claim(numbered, lease("b"), NOW + 2)).toEqual({ ...over, seq: 42 });
    expect(await receipts.claim(plain, lease("b"), NOW + 2)).toEqual({ ...over, after: 41 });
  });

  test("a new message with the same id has no place of the one before", async () => {
    const receipts = open();
    const job = aJob("first");
    await receipts.claim(job, lease("a", { after: 41 }), NOW);
    const ended = { kind: "ended", ending: "delivered", progress: NO_PROGRESS } as const;
    await receipts.settle({ ...job, seq: 42 }, "a", ended, NOW);
    const next = again(job, "second", NOW + 300_000);
    expect(await receipts.claim(next, lease("b", { after: 70 }), NOW)).toEqual(CLAIMED);
    expect(await receipts.claim(next, lease("c", { after: 80 }), LATER)).toEqual({ ...CLAIMED, after: 70 });
  });

  test("jobs of a split have the number in their bodies and no place", async () => {
    const receipts = open();
    const [low] = jobsOf(aJob());
    const numbered = { ...low, seq: 42 };
    expect(await receipts.claim(numbered, lease("a"), NOW)).toEqual(CLAIMED);
    expect(await receipts.claim(numbered, lease("b"), LATER)).toEqual(CLAIMED);
  });
}
