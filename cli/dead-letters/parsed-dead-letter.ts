import type { DeadLetter } from "../../shared/ports.ts";
import { fanoutLane, type Lane } from "../../shared/protocol/lane.ts";
import { targetText } from "../../shared/protocol/target.ts";
import type { Job } from "../../shared/receipts/job.ts";
import { readBody } from "../../shared/receipts/job-body.ts";

/** A dead letter, and the job in it; none where the body cannot be parsed. */
export interface ParsedDeadLetter extends DeadLetter {
  readonly job?: Job;
}

export function parseDeadLetter(found: DeadLetter): ParsedDeadLetter {
  const body = readBody(found.body);
  return body.kind === "job" ? { ...found, job: body.job } : found;
}

/** Returns the lane of a job, if its dead letter does not name one. */
export const laneOf = ({ lane }: ParsedDeadLetter, job: Job): Lane =>
  lane ?? (job.range ? fanoutLane(job.message.priority) : job.message.priority);

/** What a user calls it: the message's id, or the queue's own where the body has none. */
export const nameOf = ({ job, entryId }: ParsedDeadLetter): string => job?.message.id ?? entryId;

/** Returns a dead letter as `--json` prints it. */
export function toJson(deadLetter: ParsedDeadLetter, reason: string | undefined): Record<string, unknown> {
  const { job, entryId, sentAt } = deadLetter;
  return {
    id: nameOf(deadLetter),
    ...(job
      ? {
          producer: job.message.producer,
          target: job.message.target,
          ...(job.message.event === undefined ? {} : { event: job.message.event }),
          lane: laneOf(deadLetter, job),
          ...(job.range ? { range: job.range } : {}),
        }
      : { parseable: false }),
    ...(reason === undefined ? {} : { reason }),
    sentAt: new Date(sentAt).toISOString(),
    entryId,
  };
}

/** Formats a dead letter as one line. */
export function toLine(deadLetter: ParsedDeadLetter, reason: string | undefined): string {
  const { job, sentAt } = deadLetter;
  const whom = job ? `${job.message.producer} → ${targetText(job.message.target)}` : "cannot be parsed";
  const parts = [new Date(sentAt).toISOString(), nameOf(deadLetter), whom, reason ?? "(no reason known)"];
  return plain(parts.join("  "));
}

/** Text of another writer, with the characters that steer a terminal made visible. */
export const plain = (text: string): string =>
  text.replaceAll(/\p{Cc}/gu, (sign) => `\\u${(sign.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`);
