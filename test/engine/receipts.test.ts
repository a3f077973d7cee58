import fc from "fast-check";
import { expect, test } from "vitest";
import { engineReceipts } from "../../local/engine/receipts.ts";
import type { Store } from "../../local/engine/store/store.ts";
import type { Awaitable } from "../../shared/ports.ts";
import type { Job } from "../../shared/receipts/job.ts";
import { NO_PROGRESS } from "../../shared/receipts/receipt.ts";
import { CLOCK_MARGIN } from "../../shared/settings/policy.ts";
import { ANN, aJob, delivered, lease, progress, stateOf } from "../contract/receipt-parts.ts";
import { NOW } from "../support/message.ts";
import { slowStore } from "./slow-store.ts";
import { aStore } from "./support.ts";

let processes = 0;

/** Receipts as a process that has just started has them. */
const receiptsOf = (store: Store) => engineReceipts({ store, days: 15, process: `process-${++processes}` });

const CLAIMED = { kind: "claimed", deaths: 0 };
const next = (receive: number, suspects = false) => lease(`run-${receive}`, { receive, suspects });

test("a first claim and an outcome are there at once, without a promise, and wait for no disk", async () => {
  const store = slowStore(await aStore());
  const receipts = receiptsOf(store);
  const job = aJob();
  expect(receipts.claim(job, lease("a"), NOW)).toEqual(CLAIMED);
  expect(receipts.withdrawal(job)).toBeUndefined();
  expect(receipts.settle(job, "a", { kind: "retry", progress }, NOW)).toBe("written");
  expect(receipts.claim(job, lease("b"), NOW)).toEqual({ ...CLAIMED, progress });
  expect(receipts.settle(job, "b", delivered(1), NOW)).toBe("written");
  expect(store.waiting()).toBe(0);
});

test("a claim on a later receive is on the disk before the run has it", async () => {
  const store = slowStore(await aStore());
  const receipts = receiptsOf(store);
  const claims: unknown[] = [];
  const claiming = Promise.resolve(receipts.claim(aJob(), next(2), NOW)).then((claim) => claims.push(claim));
  await Promise.resolve();
  expect([store.waiting(), claims]).toEqual([1, []]);
  store.flush();
  await claiming;
  expect(claims).toEqual([CLAIMED]);
});

test("a claim that the disk does not take gives no lease", async () => {
  const store = slowStore(await aStore());
  const receipts = receiptsOf(store);
  const job = aJob();
  const lost = receipts.claim(job, next(2), NOW);
  store.lose();
  await expect(lost).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  expect(receipts.settle(job, "run-2", delivered(1), NOW)).toBe("superseded");
  expect(receipts.claim(job, lease("another"), NOW)).toEqual(CLAIMED);
});

test("a message that ends its process on every receive is a suspect from its second death on, and all are counted", async () => {
  const store = await aStore();
  const job = aJob();
  expect(receiptsOf(store).claim(job, next(1), NOW)).toEqual(CLAIMED);
  // On the first receive whatever was under way died with it.
  expect(await receiptsOf(store).claim(job, next(2), NOW)).toEqual(CLAIMED);
  expect(await receiptsOf(store).claim(job, next(3), NOW)).toEqual({ kind: "suspect", deaths: 1 });
  for (const [receive, deaths] of [
    [4, 1],
    [5, 2],
    [6, 3],
    [7, 4],
    [8, 5],
  ] as const) {
    expect(await receiptsOf(store).claim(job, next(receive, true), NOW)).toEqual({ kind: "claimed", deaths });
  }
});

test("a death is counted once, and by the next receive that is claimed, whatever came between", async () => {
  const store = await aStore();
  const job = aJob();
  await receiptsOf(store).claim(job, next(2), NOW);
  const receipts = receiptsOf(store);
  const suspect = { kind: "suspect", deaths: 1 };
  expect(await receipts.claim(job, next(7), NOW)).toEqual(suspect);
  expect(await receipts.claim(job, next(8), NOW)).toEqual(suspect);
  expect(await receiptsOf(store).claim(job, next(9), NOW)).toEqual(suspect);
});

test("of several suspects a process has one at a time, and the next one after the outcome of the first is on the disk", async () => {
  const disk = slowStore(await aStore());
  const jobs = [aJob(), aJob()];
  const [one, two] = jobs as [Job, Job];
  const onDisk = <T>(act: Awaitable<T>): Promise<T> => {
    disk.flush();
    return Promise.resolve(act);
  };
  const before = receiptsOf(disk);
  for (const job of jobs) await onDisk(before.claim(job, next(2), NOW));
  const receipts = receiptsOf(disk);
  for (const job of jobs)
    expect(await onDisk(receipts.claim(job, next(3), NOW))).toEqual({ kind: "suspect", deaths: 1 });
  expect(await onDisk(receipts.claim(one, next(4, true), NOW))).toMatchObject({ kind: "claimed" });
  const waits = { kind: "leased", until: NOW - CLOCK_MARGIN };
  expect(await onDisk(receipts.claim(two, next(4, true), NOW))).toEqual(waits);
  const settling = receipts.settle(one, "run-4", delivered(1), NOW);
  expect(await receipts.claim(two, next(5, true), NOW)).toEqual(waits);
  expect(await onDisk(settling)).toBe("written");
  expect(await onDisk(receipts.claim(two, next(6, true), NOW))).toEqual({ kind: "claimed", deaths: 1 });
  // The process ends: the one that had ended has not died with it.
  const after = receiptsOf(disk);
  expect(await onDisk(after.claim(one, next(5), NOW))).toEqual({ kind: "over", why: "ended" });
  expect(await onDisk(after.claim(two, next(7, true), NOW))).toEqual({ kind: "claimed", deaths: 2 });
});

test("a run that wrote its outcome before the process ended did not die", async () => {
  const store = await aStore();
  const job = aJob();
  const before = receiptsOf(store);
  await before.claim(job, next(2), NOW);
  before.settle(job, "run-2", { kind: "retry", progress }, NOW);
  expect(await receiptsOf(store).claim(job, next(3), NOW)).toEqual({ ...CLAIMED, progress });
});

test("a lease of this process holds, and one of a process before is over at once, for readers too", async () => {
  const store = await aStore();
  const job = aJob();
  const before = receiptsOf(store);
  await before.claim(job, next(2), NOW);
  expect(await before.claim(job, next(3), NOW)).toEqual({ kind: "leased", until: NOW + 60_000 });
  expect(await stateOf(before, job)).toBe("delivering");
  expect(await stateOf(receiptsOf(store), job)).toBe("retrying");
});

test("a split of a process before is found at its ranges, and its number too", async () => {
  const store = await aStore();
  const job = { ...aJob(), seq: 7 };
  const before = receiptsOf(store);
  const ranges = [{ from: "00000000", to: "g" }];
  await before.claim(job, lease("a"), NOW);
  before.settle(job, "a", { kind: "split", ranges }, NOW);
  expect(await receiptsOf(store).claim(job, next(2), NOW)).toEqual({ ...CLAIMED, split: ranges, seq: 7 });
});

test("a receipt is read after its flush, and after a failed one as it was before", async () => {
  const store = slowStore(await aStore());
  const receipts = receiptsOf(store);
  const job = aJob();
  const claiming = receipts.claim(job, next(2), NOW);
  const found = receipts.find(ANN, job.message.id, NOW);
  expect(store.waiting()).toBe(2);
  store.lose();
  await expect(claiming).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  expect(await found).toBeUndefined();
  expect(await receipts.find(ANN, job.message.id, NOW)).toBeUndefined();
});

test("a cancel is on the disk before it is answered, and none that was lost stops anything", async () => {
  const store = slowStore(await aStore());
  const receipts = receiptsOf(store);
  const job = aJob();
  const lost = receipts.cancel(ANN, job.message.id, NOW + 1);
  store.lose();
  await expect(lost).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  expect(receipts.withdrawal(job)).toBeUndefined();
  const kept = receipts.cancel(ANN, job.message.id, NOW + 1);
  expect(store.waiting()).toBe(1);
  store.flush();
  await kept;
  expect(receipts.claim(job, lease("a"), NOW)).toEqual({ kind: "over", why: "cancelled" });
});

test("a cancel that was lost takes no lease from the run that has it, nor its ending", async () => {
  const store = slowStore(await aStore());
  const receipts = receiptsOf(store);
  const [running, ended] = [aJob(), aJob()];
  for (const job of [running, ended]) receipts.claim(job, lease("a"), NOW);
  const lost = [running, ended].map(({ message }) => receipts.cancel(ANN, message.id, NOW + 1));
  expect(receipts.settle(ended, "a", delivered(1), NOW)).toBe("written");
  store.lose();
  expect(await Promise.allSettled(lost)).toMatchObject([{ status: "rejected" }, { status: "rejected" }]);
  expect(receipts.settle(running, "a", { kind: "retry", progress }, NOW)).toBe("written");
});

test("where a message may have been appended is found by the next process", async () => {
  const store = await aStore();
  const job = aJob();
  receiptsOf(store).claim(job, lease("a", { after: 41 }), NOW);
  expect(await receiptsOf(store).claim(job, next(2), NOW)).toEqual({ ...CLAIMED, after: 41 });
});

test("every row is kept for the days that are set, from its last change on", async () => {
  const store = await aStore();
  const receipts = receiptsOf(store);
  const [early, late] = [aJob(), aJob()];
  const days = (count: number) => NOW + count * 86_400_000;
  for (const job of [early, late]) receipts.claim(job, lease("a"), NOW);
  receipts.settle(late, "a", delivered(1), days(1));
  await store.expire(days(15) + 1);
  expect(await stateOf(receiptsOf(store), early)).toBeUndefined();
  expect(await stateOf(receiptsOf(store), late)).toBe("delivered");
  await store.expire(days(16) + 1);
  expect(await stateOf(receiptsOf(store), late)).toBeUndefined();
});

// Whoever has seen an ending never sees anything else, whatever runs and processes come after.
test("a receipt never goes back from an ending", async () => {
  const acts = fc.constantFrom("claim", "retry", "end", "cancel", "restart", "later");
  await fc.assert(
    fc.asyncProperty(fc.array(acts, { maxLength: 30 }), async (sequence) => {
      const store = await aStore();
      const job = aJob();
      let [receipts, receive, run, now] = [receiptsOf(store), 0, "", NOW];
      let ended: string | undefined;
      for (const act of sequence) {
        if (act === "claim") {
          receive++;
          const held = lease(`run-${receive}`, {
            receive,
            suspects: true,
            until: now + 60_000,
            returnsAt: now + 360_000,
          });
          if ((await receipts.claim(job, held, now)).kind === "claimed") run = held.run;
        }
        if (act === "retry") await receipts.settle(job, run, { kind: "retry", progress }, now);
        if (act === "end")
          await receipts.settle(job, run, { kind: "ended", ending: "partial", progress: NO_PROGRESS }, now);
        if (act === "cancel") await receipts.cancel(ANN, job.message.id, NOW - 1);
        if (act === "restart") receipts = receiptsOf(store);
        if (act === "later") now += 100_000;
        const state = await stateOf(receipts, job, now);
        if (ended !== undefined) expect(state).toBe(ended);
        if (state === "partial") ended = state;
      }
    }),
    { numRuns: 300 },
  );
});
