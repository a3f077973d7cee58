import { expect, test } from "vitest";
import type { Receipts } from "../../shared/ports.ts";
import { NO_PROGRESS } from "../../shared/receipts/receipt.ts";
import { NOW } from "../support/message.ts";
import { aJob, delivered, lease, progress, stateOf } from "./receipt-parts.ts";

/** When SQS shows a message again whose run has died. */
const BACK = NOW + 360_000;
/** The same of the run that has taken it then. */
const AGAIN = BACK + 360_000;
const next = (run: string, receive: number) =>
  lease(run, { receive, until: BACK + 60_000, returnsAt: BACK + 360_000 });
const CLAIMED = { kind: "claimed", deaths: 0 };

/** What every Receipts owes its callers whose runs die. */
export function receiptsDeathsContract(open: () => Receipts): void {
  test("a run that died counts once, and its message is a suspect from then on", async () => {
    const receipts = open();
    const job = aJob();
    await receipts.claim(job, lease("dies"), NOW);
    const suspect = { kind: "suspect", deaths: 1 };
    expect(await receipts.claim(job, next("b", 2), BACK)).toEqual(suspect);
    expect(await receipts.claim(job, next("c", 3), BACK + 1)).toEqual(suspect);
    expect(await receipts.claim(job, next("d", 9), BACK + 900_000)).toEqual(suspect);
    const willing = { ...next("e", 10), suspects: true };
    expect(await receipts.claim(job, willing, BACK + 900_000)).toEqual({ kind: "claimed", deaths: 1 });
  });

  test("a willing run takes a suspect at first sight", async () => {
    const receipts = open();
    const job = aJob();
    await receipts.claim(job, lease("dies"), NOW);
    const willing = { ...next("b", 2), suspects: true };
    expect(await receipts.claim(job, willing, BACK)).toEqual({ kind: "claimed", deaths: 1 });
  });

  test("deaths add up until an outcome is written, and then there are none", async () => {
    const receipts = open();
    const job = aJob();
    let at = NOW;
    for (let deaths = 0; deaths < 5; deaths++) {
      const willing = lease(`run-${deaths}`, {
        receive: deaths + 1,
        until: at + 60_000,
        returnsAt: at + 360_000,
        suspects: true,
      });
      expect(await receipts.claim(job, willing, at)).toEqual({ kind: "claimed", deaths });
      at += 360_000;
    }
    await receipts.settle(job, "run-4", { kind: "retry", progress: NO_PROGRESS }, at);
    expect(await receipts.claim(job, next("after", 9), at)).toMatchObject({ kind: "claimed", deaths: 0 });
  });

  test.each([
    { why: "it came back before its full visibility timeout", receive: 2, at: BACK - 1 },
    { why: "it was received in between", receive: 3, at: BACK },
    { why: "it is the same receive once more", receive: 1, at: BACK },
  ])("a run is not taken for dead if $why: it lived and could not write", async ({ receive, at }) => {
    const receipts = open();
    const job = aJob();
    await receipts.claim(job, lease("lives"), NOW);
    expect(await receipts.claim(job, next("b", receive), at)).toEqual(CLAIMED);
  });

  test("a run is not taken for dead by another entry of its message: each counts its own receives", async () => {
    const receipts = open();
    const job = aJob();
    await receipts.claim(job, lease("a"), NOW);
    const other = { ...next("b", 2), entryId: "another" };
    expect(await receipts.claim(job, other, BACK)).toEqual({ kind: "leased", until: BACK + 5_000 });
    expect(await receipts.claim(job, other, BACK + 5_000)).toEqual(CLAIMED);
  });

  test("a run that wrote its outcome did not die", async () => {
    const receipts = open();
    const job = aJob();
    await receipts.claim(job, lease("a"), NOW);
    await receipts.settle(job, "a", { kind: "retry", progress }, NOW);
    expect(await receipts.claim(job, next("b", 2), BACK)).toEqual({ ...CLAIMED, progress });
  });

  test("a dead letter that is redriven starts without deaths and rounds", async () => {
    const receipts = open();
    const job = aJob();
    const worn = { ...progress, rounds: 5 };
    await receipts.claim(job, lease("a"), NOW);
    await receipts.settle(job, "a", { kind: "ended", ending: "dead", progress: worn }, NOW);
    expect(await receipts.claim(job, next("b", 1), BACK)).toEqual({ ...CLAIMED, progress });
    expect(await stateOf(receipts, job, BACK)).not.toBe("dead");
    // That run dies too.
    const later = { ...next("c", 2), suspects: true };
    expect(await receipts.claim(job, later, AGAIN)).toEqual({ ...CLAIMED, deaths: 1, progress });
    await receipts.settle(job, "c", delivered(1), AGAIN);
    expect(await receipts.claim(job, next("d", 3), AGAIN)).toEqual({ kind: "over", why: "ended" });
  });
}
