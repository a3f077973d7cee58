import type { Outcome, Receipts, Settled } from "../../shared/ports.ts";
import { acceptedAt } from "../../shared/protocol/message.ts";
import { targetText } from "../../shared/protocol/target.ts";
import type { Job } from "../../shared/receipts/job.ts";
import type { Note } from "../log.ts";

/** Receipts that note what each message came to, once it is written. The parts of a large one are no messages. */
export const notedReceipts = (receipts: Receipts, note: Note): Receipts => ({
  ...receipts,
  settle(job, run, outcome, now) {
    const noted = (settled: Settled): Settled => {
      if (settled === "written" && job.range === undefined) noteOutcome(note, job, outcome, now);
      return settled;
    };
    const settled = receipts.settle(job, run, outcome, now);
    return settled instanceof Promise ? settled.then(noted) : noted(settled);
  },
});

function noteOutcome(note: Note, { message }: Job, outcome: Outcome, now: number): void {
  if (outcome.kind !== "ended" && outcome.kind !== "split") return;
  const fields = {
    id: message.id,
    producer: message.producer,
    target: "tags" in message.target ? "tags" : targetText(message.target),
    milliseconds: now - acceptedAt(message),
  };
  if (outcome.kind === "split") note("message split", { ...fields, jobs: outcome.ranges.length });
  else
    note(`message ${outcome.ending}`, {
      ...fields,
      ...outcome.progress.counts,
      ...(outcome.reason === undefined ? {} : { reason: outcome.reason }),
    });
}
