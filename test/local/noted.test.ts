import { expect, test } from "vitest";
import { notedReceipts } from "../../local/machine/noted.ts";
import type { Outcome } from "../../shared/ports.ts";
import { memoryReceipts } from "../../testing/memory/receipts.ts";
import { ANN, aJob, delivered, lease, progress } from "../contract/receipt-parts.ts";
import { NOW } from "../support/message.ts";

const LATER = NOW + 250;

/** Receipts, and what is noted of them. */
function noted() {
  const notes: unknown[] = [];
  const receipts = notedReceipts(memoryReceipts(), (message, fields) => notes.push([message, fields]));
  return { receipts, notes };
}

test("the log has a line for the ending of a message, with what its receipt counts", async () => {
  const { receipts, notes } = noted();
  const job = aJob();
  await receipts.claim(job, lease("a"), NOW);
  await receipts.settle(job, "a", { kind: "retry", progress }, NOW);
  await receipts.claim(job, lease("b"), NOW);
  await receipts.settle(job, "b", delivered(3), LATER);
  const { id, target } = job.message;
  expect(target).toEqual({ topic: "orders" });
  const fields = {
    id,
    producer: ANN,
    target: "topic:orders",
    milliseconds: 250,
    sent: 3,
    gone: 0,
    failed: 0,
  };
  expect(notes).toEqual([["message delivered", fields]]);
});

test("nothing is noted that was not written: another run has the message, or a cancel came first", async () => {
  const { receipts, notes } = noted();
  const job = aJob();
  await receipts.claim(job, lease("a"), NOW);
  expect(await receipts.settle(job, "another", delivered(1), NOW)).toBe("superseded");
  await receipts.cancel(ANN, job.message.id, NOW + 1);
  const split: Outcome = { kind: "split", ranges: [] };
  expect(await receipts.settle(job, "a", split, LATER)).toBe("cancelled");
  expect(notes).toEqual([]);
});
