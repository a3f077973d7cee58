import type { Claim, Lease, Outcome, Settled } from "../../shared/ports.ts";
import type { Job } from "../../shared/receipts/job.ts";
import { SKEW } from "../world/network.ts";
import type { Actor } from "../world/scheduler.ts";
import { deathsAtMost } from "./deaths.ts";
import { isDropped } from "./dropped.ts";
import { expected } from "./expected.ts";
import { letterOf, type Name, type Notebook, twinOf } from "./history.ts";
import { partName } from "./key.ts";
import { acceptedAt, type Letter, NO_COUNTS, nameOf, plus, type Serving } from "./message-record.ts";
import type { PartState } from "./part.ts";
import type { ReceiptWatch } from "./receipts.ts";

export interface ClaimWatch {
  /** The table has answered a claim; the run may never hear it. */
  claimed(actor: Actor, job: Job, lease: Lease, claim: Claim): void;
  /** A run is about to write what it did, and posts no more. */
  settling(actor: Actor, job: Job): Serving | undefined;
  /** The table has written it, or not. */
  settled(serving: Serving | undefined, outcome: Outcome, settled: Settled): void;
}

/** One run at a time holds a job, no longer than it should, and nobody takes what is over. */
export function watchClaims(book: Notebook, receipts: ReceiptWatch, visibilitySeconds: number): ClaimWatch {
  const open = (letter: Letter, part: string): PartState => {
    const state = letter.parts.get(part) ?? { leaseUntil: 0, deaths: 0, pending: 0, queued: false };
    letter.parts.set(part, state);
    return state;
  };

  const take = (actor: Actor, letter: Letter, { range }: Job, lease: Lease, deaths: number) => {
    const part = partName(range);
    const state = open(letter, part);
    const again = `${actor.name} takes ${nameOf(letter)} ${part}`;
    const own = letter.servings.some(({ run }) => run === lease.run);
    if (!own && (state.queued || (state.ending !== undefined && state.ending !== "dead"))) {
      book.violate("what is over is not taken again", again);
    }
    state.leaseUntil = lease.until;
    state.deaths = deaths;
    delete state.ending;
    delete state.reason;
    if (own) return;
    const rival = letter.servings.find(
      (one) => one.part === part && one.state === "serving" && one.actor.alive,
    );
    if (rival) book.violate("one run at a time holds a job", `${again} from ${rival.actor.name}`);
    letter.servings.push({
      ...{ letter, actor, run: lease.run, receive: lease.receive, part, range, since: book.now() },
      ...{ state: "serving", counts: NO_COUNTS, hidden: false, told: false },
      ...{ sinceLook: new Set(), toldCancelled: false },
    });
  };

  return {
    claimed(actor, job, lease, claim) {
      const letter = letterOf(book, job);
      if (!letter) return;
      receipts.touch(letter.producer, letter.id);
      const part = partName(job.range);
      const name = book.nameOf(letter.producer, letter.id);
      if ("deaths" in claim && claim.deaths > deathsAtMost(book, letter, part)) {
        book.violate("only a run that died counts as a death", `${nameOf(letter)} has ${claim.deaths}`);
      }
      switch (claim.kind) {
        case "claimed":
          if (!job.range) show(book, name, letter);
          delete letter.dropped;
          take(actor, letter, job, lease, claim.deaths);
          return;
        case "suspect": {
          const state = open(letter, part);
          // Only the claim that counts a death takes the lease away.
          if (claim.deaths > state.deaths) state.leaseUntil = 0;
          state.deaths = claim.deaths;
          return;
        }
        case "leased": {
          book.twins.add(twinOf(actor, letter, part));
          const holder = letter.servings.findLast((one) => one.part === part);
          if (holder && book.now() > holder.since + visibilitySeconds * 1000 + 2 * SKEW) {
            const what = `${nameOf(letter)} is held by ${holder.actor.name}`;
            book.violate("a lease is no longer than the visibility timeout", what);
          }
          return;
        }
        case "over":
          if (isDropped(book, letter, job, claim.why)) return;
          book.violate(`what is dropped as ${claim.why} is so`, nameOf(letter));
          return;
        case "newer":
          return;
      }
    },
    settling(actor, job) {
      const part = partName(job.range);
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
      serving.outcome = outcome;
      if (settled !== "written") return;
      const state = open(letter, serving.part);
      state.deaths = 0;
      if (outcome.kind === "split") {
        state.split = outcome.ranges;
        return;
      }
      if (outcome.kind === "queued") state.queued = true;
      else state.pending = outcome.progress.pending.length;
      if (outcome.kind === "ended") state.ending = outcome.ending;
      if (outcome.kind !== "queued") {
        if (outcome.reason === undefined) delete state.reason;
        else state.reason = outcome.reason;
      }
      state.leaseUntil = 0;
      // A split is settled once its jobs are queued.
      if (serving.state === "settled") return;
      serving.state = "settled";
      letter.tally = plus(letter.tally, serving.counts);
    },
  };
}

/** An id shows a message from its first claim on. */
function show(book: Notebook, name: Name, letter: Letter): void {
  const { shown, cancelled } = name;
  const at = acceptedAt(letter);
  if (shown === letter) {
    if (letter.cancel && !letter.parts.get("whole")?.split) {
      book.violate("what was cancelled is not taken", nameOf(letter));
    }
    return;
  }
  if (cancelled && at < cancelled.stamp) book.violate("what was cancelled is not taken", nameOf(letter));
  if (shown) {
    const stopped = shown.cancel && shown.cancel.stamp <= at;
    if (!stopped && acceptedAt(shown) + shown.dedupeSeconds * 1000 > at) {
      const what = `${nameOf(letter)} replaced ${nameOf(shown)} in its window`;
      book.violate("same id, same message", what);
    }
    const { state } = expected(shown, book.now() + 2 * SKEW);
    if (state === "delivering" || state === "retrying") {
      const what = `${nameOf(letter)} replaced ${nameOf(shown)}, which is ${state}`;
      book.violate("every message ends", what);
    }
    if (shown.receipt) shown.receipt = { ...shown.receipt, state };
  }
  name.shown = letter;
  delete name.cancelled;
}
