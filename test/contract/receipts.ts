import { expect, test } from "vitest";
import type { Receipts } from "../../shared/ports.ts";
import type { MessageId } from "../../shared/protocol/message.ts";
import type { ConnectionId, UserId } from "../../shared/protocol/tag.ts";
import { NO_PROGRESS } from "../../shared/receipts/receipt.ts";
import { NOW } from "../support/message.ts";
import { ANN, again, aJob, delivered, lease, progress, stateOf } from "./receipt-parts.ts";

/** What every Receipts owes its callers, whatever it is made of: claims, leases and endings. */
export function receiptsContract(open: () => Receipts): void {
  test("gives a job to one run at a time", async () => {
    const receipts = open();
    const job = aJob();
    expect(await receipts.claim(job, lease("a"), NOW)).toEqual({ kind: "claimed", deaths: 0 });
    expect(await receipts.claim(job, lease("b"), NOW)).toEqual({ kind: "leased", until: NOW + 60_000 });
  });

  test("lets a run take over a lease that has run out, and the old run write nothing more", async () => {
    const receipts = open();
    const job = aJob();
    await receipts.claim(job, lease("a"), NOW);
    expect(await receipts.claim(job, lease("b"), NOW + 60_001)).toEqual({ kind: "claimed", deaths: 0 });
    expect(await receipts.settle(job, "a", { kind: "ended", ending: "delivered", progress }, NOW)).toBe(
      "superseded",
    );
  });

  test("a retry finds what the run before it left", async () => {
    const receipts = open();
    const job = aJob();
    await receipts.claim(job, lease("a"), NOW);
    expect(await receipts.settle(job, "a", { kind: "retry", progress, reason: "429" }, NOW)).toBe("written");
    expect(await receipts.claim(job, lease("b", { receive: 2 }), NOW)).toEqual({
      kind: "claimed",
      progress,
      deaths: 0,
    });
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
      deaths: 0,
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
    expect(await receipts.claim(dead, lease("d"), NOW)).toEqual({ kind: "claimed", progress, deaths: 0 });
  });

  test("forgets what a later run has done of what an earlier one left", async () => {
    const receipts = open();
    const job = aJob();
    await receipts.claim(job, lease("a"), NOW);
    const left = { ...progress, from: "80000000" };
    await receipts.settle(job, "a", { kind: "retry", progress: left, reason: "429" }, NOW);
    const second = await receipts.claim(job, lease("b", { receive: 2 }), NOW);
    expect(second).toEqual({ kind: "claimed", progress: left, deaths: 0 });
    // The rest of the list is done, and so is the connection that was busy; the gateway is down.
    const rest = { ...NO_PROGRESS, counts: { sent: 2, gone: 0, failed: 0 } };
    await receipts.settle(job, "b", { kind: "retry", progress: rest }, NOW);
    const third = await receipts.claim(job, lease("c", { receive: 3 }), NOW);
    expect(third).toEqual({ kind: "claimed", progress: rest, deaths: 0 });
    expect(await receipts.find(ANN, job.message.id, NOW)).not.toHaveProperty("reason");
  });

  test("forgets why an earlier run failed once a later one does not", async () => {
    const receipts = open();
    const job = aJob();
    await receipts.claim(job, lease("a"), NOW);
    await receipts.settle(job, "a", { kind: "retry", progress, reason: "429: Rate exceeded" }, NOW);
    expect(await receipts.find(ANN, job.message.id, NOW)).toMatchObject({ reason: "429: Rate exceeded" });
    await receipts.claim(job, lease("b"), NOW);
    await receipts.settle(job, "b", { kind: "ended", ending: "expired", progress }, NOW);
    expect(await receipts.find(ANN, job.message.id, NOW)).not.toHaveProperty("reason");
  });

  test("knows nothing of a message no run has met", async () => {
    expect(await open().find(ANN, "never" as MessageId, NOW)).toBeUndefined();
  });

  test("of many runs that claim a new job at once, one gets it", async () => {
    const receipts = open();
    const job = aJob();
    const runs = Array.from({ length: 10 }, (_, i) => receipts.claim(job, lease(`run-${i}`), NOW));
    const kinds = (await Promise.all(runs)).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === "claimed")).toHaveLength(1);
    expect(kinds.filter((kind) => kind === "leased")).toHaveLength(9);
  });

  test("of many runs that take over a lease at once, one gets it", async () => {
    const receipts = open();
    const job = aJob();
    await receipts.claim(job, lease("gone"), NOW);
    const later = { until: NOW + 120_000 };
    const runs = Array.from({ length: 5 }, async (_, i) =>
      receipts.claim(job, lease(`run-${i}`, later), NOW + 60_000),
    );
    const claims = await Promise.allSettled(runs);
    expect(claims.filter((it) => it.status === "fulfilled" && it.value.kind === "claimed")).toHaveLength(1);
  });

  test("a run that asks twice, since the first answer was lost, gets its job", async () => {
    const receipts = open();
    const job = aJob();
    await receipts.claim(job, lease("a"), NOW);
    expect(await receipts.claim(job, lease("a"), NOW)).toEqual({ kind: "claimed", deaths: 0 });
  });

  test("a run that never claimed a job writes nothing", async () => {
    const receipts = open();
    const job = aJob();
    expect(await receipts.settle(job, "a", delivered(1), NOW)).toBe("superseded");
    expect(await stateOf(receipts, job)).toBeUndefined();
  });

  test("a run that died on the last receive leaves a dead letter", async () => {
    const receipts = open();
    const job = aJob();
    await receipts.claim(job, lease("a", { receive: 1_000, onFinalReceive: true }), NOW);
    expect(await stateOf(receipts, job)).toBe("delivering");
    expect(await stateOf(receipts, job, NOW + 60_001)).toBe("dead");
  });

  test("one id of two producers is two messages, however the producers are called", async () => {
    const receipts = open();
    const producers = ["ann", "ann#m", "#", "auth0|Zoë/#1"] as UserId[];
    const id = aJob().message.id;
    for (const [i, producer] of producers.entries()) {
      const job = { message: { ...aJob().message, id, producer } };
      expect(await receipts.claim(job, lease("a"), NOW)).toEqual({ kind: "claimed", deaths: 0 });
      await receipts.settle(job, "a", delivered(i), NOW);
    }
    for (const [i, producer] of producers.entries()) {
      expect(await receipts.find(producer, id, NOW)).toMatchObject({ producer, id, counts: { sent: i } });
    }
  });

  test("tells what there is to tell of a message", async () => {
    const receipts = open();
    const job = aJob();
    await receipts.claim(job, lease("a", { receive: 3 }), NOW);
    const left = {
      counts: { sent: 4, gone: 1, failed: 1 },
      pending: progress.pending,
      failed: ["x="] as ConnectionId[],
      rounds: 1,
    };
    await receipts.settle(job, "a", { kind: "retry", progress: left, reason: "429: slow down" }, NOW + 7);
    expect(await receipts.find(ANN, job.message.id, NOW)).toEqual({
      id: job.message.id,
      producer: "ann",
      state: "retrying",
      time: "2026-01-01T00:00:00.000Z",
      counts: { sent: 4, gone: 1, failed: 1, pending: 1 },
      attempts: 3,
      reason: "429: slow down",
      failed: ["x="],
      updatedAt: "2026-01-01T00:00:00.007Z",
    });
  });

  test("does not see what a run changes after it has settled, nor change what it handed out", async () => {
    const receipts = open();
    const job = aJob();
    const pending = [...progress.pending];
    await receipts.claim(job, lease("a"), NOW);
    await receipts.settle(job, "a", { kind: "retry", progress: { ...progress, pending } }, NOW);
    pending.pop();
    const first = await receipts.claim(job, lease("b"), NOW);
    expect(first).toEqual({ kind: "claimed", progress, deaths: 0 });
    await receipts.settle(job, "b", { kind: "retry", progress: NO_PROGRESS }, NOW);
    expect(first).toEqual({ kind: "claimed", progress, deaths: 0 });
  });
}
