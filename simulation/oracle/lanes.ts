import type { Claim, Lease, Metric } from "../../shared/ports.ts";
import type { Lane } from "../../shared/protocol/lane.ts";
import type { Tag } from "../../shared/protocol/tag.ts";
import type { Job } from "../../shared/receipts/job.ts";
import type { Recipient } from "../../shared/receipts/receipt.ts";
import { visibilitySeconds } from "../../shared/settings/derived.ts";
import { SKEW } from "../world/network.ts";
import type { Actor } from "../world/scheduler.ts";
import type { ContainerWatch } from "./containers.ts";
import { deathsAtMost } from "./deaths.ts";
import { type History, jobIn, recordOf, twinOf } from "./history.ts";
import { partName } from "./key.ts";
import { type JobRun, nameOf } from "./message-record.ts";

export interface LaneWatch {
  /** A lane has it. */
  queued(lane: Lane, job: Job): void;
  /** A run is about to change the visibility of a message. */
  hiding(actor: Actor, body: string, receive: number, seconds: number): void;
  /** It knows that it has. */
  hidden(actor: Actor, body: string, receive: number): void;
  /** A run is about to send a body to the dead-record queue. */
  burying(actor: Actor, body: string, reason: string): void;
  /** A run has heard the answer to a claim. */
  answered(actor: Actor, lease: Lease, claim: Claim): void;
  counted(actor: Actor, metric: Metric, value: number): void;
  /** A run has come to its end alive. */
  returned(actor: Actor): void;
  /** A row of a list is about to be written. `expiresAt` is in milliseconds. */
  listing(tag: Tag, holder: Recipient, expiresAt: number): void;
}

/** Hides by back-off that tell something together, and the mean part of the longest below which there is no back-off. */
const ENOUGH = { hides: 10, mean: 0.12 };

/** Rules on what goes into the lanes, when it comes back, and what a dead record says. */
export function watchLanes(book: History, { heard }: Pick<ContainerWatch, "heard">): LaneWatch {
  const { deathLimit: deaths, backoff } = book.settings.advanced;
  const { baseSeconds: base, capSeconds: cap } = backoff;
  const { maxAgeSeconds, rowMarginSeconds } = book.settings.sockets;
  const hiddenAtMost = Math.max(cap, visibilitySeconds(book.settings) + 15);
  const duplicates = new Map<Actor, { readonly runs: Set<string>; counted: number }>();
  const parts: number[] = [];
  /** Two copies of one message may be in one run, and only one of them gets the job. */
  const jobRunOf = (actor: Actor, body: string, receive?: number): JobRun | undefined => {
    const job = jobIn(body);
    const part = partName(job.range);
    return recordOf(book, job)?.jobRuns.findLast(
      (one) => one.actor === actor && one.part === part && (receive === undefined || one.receive === receive),
    );
  };
  const duplicatesOf = (actor: Actor) => {
    const known = duplicates.get(actor) ?? { runs: new Set<string>(), counted: 0 };
    duplicates.set(actor, known);
    return known;
  };

  return {
    queued(lane, job) {
      const record = recordOf(book, job);
      if (!record) return book.violate("the queue holds what was posted", JSON.stringify(job.message));
      record.message ??= job.message;
      const due = job.range ? (`fanout-${record.priority}` as const) : record.priority;
      if (lane !== due)
        book.violate("a message is in the lane of its priority", `${nameOf(record)}: ${lane}`);
    },
    hiding(actor, body, receive, seconds) {
      const jobRun = jobRunOf(actor, body, receive);
      if (seconds > hiddenAtMost) {
        book.violate("back-off has a cap", `${actor.name} hides a message for ${seconds} s`);
      }
      if (jobRun?.outcome?.kind !== "retry" || !jobRun.written) return;
      if (book.twins.has(twinOf(actor, jobRun.record, jobRun.part)) || isOneOfMany(jobRun)) return;
      const longest = Math.min(cap, base * 2 ** (jobRun.receive - 1));
      if (seconds > Math.ceil(longest)) {
        book.violate("back-off grows from receive to receive", `${actor.name}: ${seconds} of ${longest} s`);
      }
      if (longest < 8) return;
      parts.push(seconds / longest);
      const mean = parts.reduce((sum, part) => sum + part, 0) / parts.length;
      if (parts.length >= ENOUGH.hides && mean < ENOUGH.mean) {
        book.violate("a message that is to be tried again waits", `${mean} of the longest on average`);
      }
    },
    hidden(actor, body, receive) {
      const jobRun = jobRunOf(actor, body, receive);
      if (jobRun) jobRun.hidden = true;
    },
    burying(actor, body, reason) {
      const jobRun = jobRunOf(actor, body);
      if (!jobRun) return book.violate("only the run that has claimed a job dead-letters it", actor.name);
      const what = `${nameOf(jobRun.record)} is dead since: ${reason}`;
      const [, runs] = /^(\d+) runs died/.exec(reason) ?? [];
      const isTrue = runs
        ? Number(runs) >= deaths && Number(runs) <= deathsAtMost(book, jobRun.record, jobRun.part, jobRun)
        : heard(actor, reason);
      if (!isTrue) book.violate("a dead record says why, and truly", what);
    },
    answered(actor, { run }, claim) {
      if (claim.kind === "over" && claim.why === "duplicate") duplicatesOf(actor).runs.add(run);
    },
    counted(actor, metric, value) {
      if (metric === "Duplicates") duplicatesOf(actor).counted += value;
    },
    returned(actor) {
      const { runs, counted } = duplicates.get(actor) ?? { runs: new Set(), counted: 0 };
      duplicates.delete(actor);
      if (runs.size === counted) return;
      book.violate("a duplicate counts as one", `${actor.name} met ${runs.size} and counted ${counted}`);
    },
    listing(tag, { connectionId, connectedAt }, expiresAt) {
      const latest = connectedAt + (maxAgeSeconds + rowMarginSeconds) * 1000 + SKEW;
      if (expiresAt <= latest) return;
      book.violate("a row ends with its connection", `${connectionId} in ${tag} until ${expiresAt}`);
    },
  };
}

/** Two copies of a message may be in one run, one after the other: the hide may be of either. */
const isOneOfMany = ({ record, actor, part }: JobRun): boolean =>
  record.jobRuns.filter((one) => one.actor === actor && one.part === part).length > 1;
