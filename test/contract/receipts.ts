import { expect, test } from "vitest";
import type { Job, MessageId } from "../../shared/domain/message.ts";
import { NO_PROGRESS } from "../../shared/domain/receipt.ts";
import type { ConnectionId, UserId } from "../../shared/domain/tag.ts";
import type { Lease, Receipts } from "../../shared/ports.ts";

const NOW = Date.parse("2026-01-01T00:00:00Z");
const ANN = "ann" as UserId;

/** What every Receipts owes its callers, whatever it is made of. */
export function receiptsContract(open: () => Receipts): void {
  let count = 0;
  const aJob = (copy = "copy", accepted = NOW, id = `m${++count}`): Job => ({
    message: {
      id: id as MessageId,
      producer: ANN,
      copy,
      target: { user: ANN },
      data: 1,
      priority: "normal",
      time: new Date(accepted).toISOString(),
      dedupeSeconds: 300,
    },
  });
  const lease = (run: string, more: Partial<Lease> = {}): Lease => ({
    run,
    until: NOW + 60_000,
    receive: 1,
    last: false,
    ...more,
  });
  const again = (job: Job, copy: string, accepted: number): Job => aJob(copy, accepted, job.message.id);
  const progress = {
    ...NO_PROGRESS,
    pending: [{ connectionId: "c1" as ConnectionId, connectedAt: NOW }],
  };

  test("gives a job to one run at a time", async () => {
    const receipts = open();
    const job = aJob();
    expect(await receipts.claim(job, lease("a"), NOW)).toEqual({ kind: "claimed" });
    expect(await receipts.claim(job, lease("b"), NOW)).toEqual({ kind: "leased", until: NOW + 60_000 });
  });

  test("lets a run take over a lease that has run out, and the old run write nothing more", async () => {
    const receipts = open();
    const job = aJob();
    await receipts.claim(job, lease("a"), NOW);
    expect(await receipts.claim(job, lease("b"), NOW + 60_001)).toEqual({ kind: "claimed" });
    expect(await receipts.settle(job, "a", { kind: "ended", ending: "delivered", progress }, NOW)).toBe(
      "superseded",
    );
  });

  test("a retry finds what the run before it left", async () => {
    const receipts = open();
    const job = aJob();
    await receipts.claim(job, lease("a"), NOW);
    expect(await receipts.settle(job, "a", { kind: "retry", progress, reason: "429" }, NOW)).toBe("written");
    expect(await receipts.claim(job, lease("b", { receive: 2 }), NOW)).toEqual({ kind: "claimed", progress });
  });

  test("another copy of an id is a duplicate within the window, and a new message after it", async () => {
    const receipts = open();
    const job = aJob("first");
    await receipts.claim(job, lease("a"), NOW);
    await receipts.settle(job, "a", { kind: "ended", ending: "delivered", progress: NO_PROGRESS }, NOW);
    expect(await receipts.claim(again(job, "second", NOW + 299_999), lease("b"), NOW)).toEqual({
      kind: "over",
      why: "duplicate",
    });
    expect(await receipts.claim(again(job, "third", NOW + 300_000), lease("c"), NOW)).toEqual({
      kind: "claimed",
    });
  });

  test("another copy is a duplicate even after the window while the first is not settled", async () => {
    const receipts = open();
    const job = aJob("first");
    await receipts.claim(job, lease("a"), NOW);
    const later = again(job, "second", NOW + 900_000);
    expect(await receipts.claim(later, lease("b"), NOW + 900_000)).toEqual({
      kind: "over",
      why: "duplicate",
    });
  });

  test("an ended message is over, but a dead one opens again with what was left", async () => {
    const receipts = open();
    const [done, dead] = [aJob(), aJob()];
    await receipts.claim(done, lease("a"), NOW);
    await receipts.settle(done, "a", { kind: "ended", ending: "delivered", progress: NO_PROGRESS }, NOW);
    expect(await receipts.claim(done, lease("b"), NOW)).toEqual({ kind: "over", why: "ended" });
    await receipts.claim(dead, lease("c"), NOW);
    await receipts.settle(dead, "c", { kind: "ended", ending: "dead", progress, reason: "500" }, NOW);
    expect(await receipts.find(ANN, dead.message.id, NOW)).toMatchObject({
      state: "dead",
      reason: "500",
      failed: ["c1"],
    });
    expect(await receipts.claim(dead, lease("d"), NOW)).toEqual({ kind: "claimed", progress });
  });

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

  test("knows nothing of a message no run has met", async () => {
    expect(await open().find(ANN, "never" as MessageId, NOW)).toBeUndefined();
  });
}
