import type { Receipts } from "../../shared/ports.ts";
import { acceptedAt } from "../../shared/protocol/message.ts";
import { targetText } from "../../shared/protocol/target.ts";
import type { Note } from "../log.ts";

/** Receipts that note what each message came to. The parts of a large one are no messages. */
export const notedReceipts = (receipts: Receipts, note: Note): Receipts => ({
  ...receipts,
  settle(job, run, outcome, now) {
    const settled = receipts.settle(job, run, outcome, now);
    if (job.range === undefined && (outcome.kind === "ended" || outcome.kind === "split")) {
      const { message } = job;
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
    return settled;
  },
});
