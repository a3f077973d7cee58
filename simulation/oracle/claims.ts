import type { Claim, Lease, Outcome, Settled } from "../../shared/ports.ts";
import type { Job } from "../../shared/receipts/job.ts";
import { SKEW } from "../world/network.ts";
import type { Actor } from "../world/scheduler.ts";
import { deathsAtMost } from "./deaths.ts";
import { isDropped } from "./dropped.ts";
import { expected } from "./expected.ts";
import { type History, type Name, recordOf, twinOf } from "./history.ts";
import { partName } from "./key.ts";
import type { LeftOutWatch } from "./left-out.ts";
import { acceptedAt, type JobRun, type MessageRecord, NO_COUNTS, nameOf, plus } from "./message-record.ts";
import type { PartState } from "./part.ts";
import type { ReceiptWatch } from "./receipts.ts";

type Taken = Extract<Claim, { kind: "claimed" }>;

export interface ClaimWatch {
  /** The table has answered a claim; the run may never hear it. */
  claimed(actor: Actor, job: Job, lease: Lease, claim: Claim): void;
  /** A run is about to write what it did, and posts no more. */
  settling(actor: Actor, job: Job): JobRun | undefined;
  /** The table has written it, or not. */
  settled(jobRun: JobRun | undefined, outcome: Outcome, settled: Settled): void;
}

/** One run at a time holds a job, no longer than it should, and none claims one that is over. */
export function watchClaims(
  book: History,
  { receipts, leftOut }: { readonly receipts: ReceiptWatch; readonly leftOut: LeftOutWatch["leftOut"] },
  visibilitySeconds: number,
): ClaimWatch {
  const open = (record: MessageRecord, part: string): PartState => {
    const state = record.parts.get(part) ?? { leaseUntil: 0, deaths: 0, pending: 0, queued: false };
    record.parts.set(part, state);
    return state;
  };

  const take = (actor: Actor, record: MessageRecord, { range }: Job, lease: Lease, claim: Taken) => {
    const { deaths, progress } = claim;
    const part = partName(range);
    const state = open(record, part);
    const again = `${actor.name} takes ${nameOf(record)} ${part}`;
    const own = record.jobRuns.some(({ run }) => run === lease.run);
    if (!own && (state.queued || (state.ending !== undefined && state.ending !== "dead"))) {
      book.violate("what is over is not taken again", again);
    }
    state.leaseUntil = lease.until;
    state.deaths = deaths;
    delete state.ending;
    delete state.reason;
    if (own) return;
    const rival = record.jobRuns.find(
      (one) => one.part === part && one.state === "processing" && one.actor.alive,
    );
    if (rival) book.violate("one run at a time holds a job", `${again} from ${rival.actor.name}`);
    record.jobRuns.push({
      ...{ record, actor, run: lease.run, receive: lease.receive, part, range, since: book.now() },
      ...{ state: "processing", counts: NO_COUNTS, hidden: false, written: false },
      ...{ sinceLook: new Set(), toldWithdrawn: false },
      ...{ taken: progress?.pending ?? [], answered: new Set() },
    });
  };

  return {
    claimed(actor, job, lease, claim) {
      const record = recordOf(book, job);
      if (!record) return;
      receipts.touch(record.producer, record.id);
      const part = partName(job.range);
      const name = book.nameOf(record.producer, record.id);
      if ("deaths" in claim && claim.deaths > deathsAtMost(book, record, part)) {
        book.violate("only a run that died counts as a death", `${nameOf(record)} has ${claim.deaths}`);
      }
      switch (claim.kind) {
        case "claimed":
          if (!job.range) show(book, name, record);
          delete record.dropped;
          take(actor, record, job, lease, claim);
          return;
        case "suspect": {
          const state = open(record, part);
          // Only the claim that counts a death takes the lease away.
          if (claim.deaths > state.deaths) state.leaseUntil = 0;
          state.deaths = claim.deaths;
          return;
        }
        case "leased": {
          book.twins.add(twinOf(actor, record, part));
          const holder = record.jobRuns.findLast((one) => one.part === part);
          if (holder && book.now() > holder.since + visibilitySeconds * 1000 + 2 * SKEW) {
            const what = `${nameOf(record)} is held by ${holder.actor.name}`;
            book.violate("a lease is no longer than the visibility timeout", what);
          }
          return;
        }
        case "over":
          if (isDropped(book, record, job, claim.why)) return;
          book.violate(`what is dropped as ${claim.why} is so`, nameOf(record));
          return;
        case "newer":
          return;
      }
    },
    settling(actor, job) {
      const part = partName(job.range);
      const jobRun = recordOf(book, job)?.jobRuns.findLast((one) => one.actor === actor && one.part === part);
      if (jobRun?.state === "processing") jobRun.state = "settling";
      return jobRun;
    },
    settled(jobRun, outcome, settled) {
      if (!jobRun) return;
      const { record } = jobRun;
      receipts.touch(record.producer, record.id);
      jobRun.outcome = outcome;
      if (settled !== "written") return;
      const state = open(record, jobRun.part);
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
      if (jobRun.state === "settled") return;
      jobRun.state = "settled";
      const gone = jobRun.counts.gone + leftOut(jobRun, outcome);
      record.tally = plus(record.tally, { ...jobRun.counts, gone });
    },
  };
}

/** An id shows a message from its first claim on. */
function show(book: History, name: Name, record: MessageRecord): void {
  const { shown, cancelled } = name;
  const at = acceptedAt(record);
  if (shown === record) {
    if (record.cancel && !record.parts.get("whole")?.split) {
      book.violate("what was cancelled is not taken", nameOf(record));
    }
    return;
  }
  if (cancelled && at < cancelled.stamp) book.violate("what was cancelled is not taken", nameOf(record));
  if (shown) {
    const stopped = shown.cancel && shown.cancel.stamp <= at;
    if (!stopped && acceptedAt(shown) + shown.dedupeSeconds * 1000 > at) {
      const what = `${nameOf(record)} replaced ${nameOf(shown)} in its window`;
      book.violate("same id, same message", what);
    }
    const { state } = expected(shown, book.now() + 2 * SKEW);
    if (state === "delivering" || state === "retrying") {
      const what = `${nameOf(record)} replaced ${nameOf(shown)}, which is ${state}`;
      book.violate("every message ends", what);
    }
    if (shown.receipt) shown.receipt = { ...shown.receipt, state };
  }
  name.shown = record;
  delete name.cancelled;
}
