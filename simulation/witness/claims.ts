import { WHOLE } from "../../shared/domain/hash-range.ts";
import type { Job } from "../../shared/domain/message.ts";
import { partOf } from "../../shared/domain/receipt-row.ts";
import type { Claim, Lease, Outcome, Settled } from "../../shared/ports.ts";
import { SKEW } from "../world/network.ts";
import type { Actor } from "../world/scheduler.ts";
import { NO_COUNTS, nameOf, plus, type Serving } from "./letter.ts";
import { letterOf, type Notebook } from "./notebook.ts";
import type { ReceiptWatch } from "./receipts.ts";

export interface ClaimWatch {
  /** The table has answered a claim; the run may never hear it. */
  claimed(actor: Actor, job: Job, lease: Lease, claim: Claim): void;
  /** A run is about to write what it did, and posts no more. */
  settling(actor: Actor, job: Job): Serving | undefined;
  /** The table has written it, or not. */
  settled(serving: Serving | undefined, outcome: Outcome, settled: Settled): void;
}

/** One run at a time holds a job, and no longer than it should. */
export function watchClaims(book: Notebook, receipts: ReceiptWatch, visibilitySeconds: number): ClaimWatch {
  return {
    claimed(actor, job, lease, claim) {
      const letter = letterOf(book, job);
      if (!letter) return;
      receipts.touch(letter.producer, letter.id);
      const part = partOf(job);
      const others = letter.servings.filter((serving) => serving.part === part);
      if (claim.kind === "over" && letter.servings.length === 0) {
        if (claim.why === "duplicate" || claim.why === "cancelled") letter.dropped = claim.why;
      }
      const holder = others.at(-1);
      if (
        claim.kind === "leased" &&
        holder &&
        book.now() > holder.since + visibilitySeconds * 1000 + 2 * SKEW
      ) {
        book.violate(
          "a lease is no longer than the visibility timeout",
          `${nameOf(letter)} is held by ${holder.actor.name}`,
        );
      }
      if (claim.kind !== "claimed" || others.some(({ run }) => run === lease.run)) return;
      const rival = others.find((serving) => serving.state === "serving" && serving.actor.alive);
      if (rival) {
        book.violate(
          "one run at a time holds a job",
          `${actor.name} and ${rival.actor.name} hold ${nameOf(letter)}`,
        );
      }
      letter.servings.push({
        letter,
        actor,
        run: lease.run,
        receive: lease.receive,
        part,
        range: job.range ?? WHOLE,
        since: book.now(),
        state: "serving",
        counts: NO_COUNTS,
      });
    },
    settling(actor, job) {
      const part = partOf(job);
      const serving = letterOf(book, job)?.servings.findLast(
        (one) => one.actor === actor && one.part === part,
      );
      if (serving?.state === "serving") serving.state = "settling";
      return serving;
    },
    settled(serving, outcome, settled) {
      if (!serving) return;
      const { letter } = serving;
      receipts.touch(letter.producer, letter.id);
      // A split is settled once its jobs are queued.
      if (settled !== "written" || outcome.kind === "split" || serving.state === "settled") return;
      serving.state = "settled";
      letter.tally = plus(letter.tally, serving.counts);
    },
  };
}
