import type { Lease, Outcome, Receipts } from "../../shared/ports.ts";
import type { ConnectionId, UserId } from "../../shared/protocol/tag.ts";
import { type HashRange, split, WHOLE } from "../../shared/receipts/hash-range.ts";
import type { Job } from "../../shared/receipts/job.ts";
import { NO_PROGRESS } from "../../shared/receipts/receipt.ts";
import { aMessage, NOW } from "../support/message.ts";

/* What the contracts of Receipts are told with. */

export const ANN = "ann" as UserId;

let count = 0;

/** A job of an id that no other has, for all connections. */
export const aJob = (acceptanceId = "first", accepted = NOW, id = `m${++count}`): Job => ({
  message: aMessage({ id: id as Job["message"]["id"], acceptanceId, time: new Date(accepted).toISOString() }),
});

/** A later POST of the same id. */
export const again = (job: Job, acceptanceId: string, accepted: number): Job =>
  aJob(acceptanceId, accepted, job.message.id);

/** A first receive, good for a minute. */
export const lease = (run: string, more: Partial<Lease> = {}): Lease => ({
  run,
  until: NOW + 60_000,
  returnsAt: NOW + 360_000,
  entryId: "entry",
  receive: 1,
  onFinalReceive: false,
  suspects: false,
  ...more,
});

/** One connection was busy. */
export const progress = {
  ...NO_PROGRESS,
  pending: [{ connectionId: "c1" as ConnectionId, connectedAt: NOW }],
};

export const delivered = (sent: number): Outcome => ({
  kind: "ended",
  ending: "delivered",
  progress: { ...NO_PROGRESS, counts: { sent, gone: 0, failed: 0 } },
});

export const RANGES = split(WHOLE, 2) as [HashRange, HashRange];

export const jobsOf = (job: Job): [Job, Job] => [
  { ...job, range: RANGES[0] },
  { ...job, range: RANGES[1] },
];

/** The state that a receipt says, or `unrecorded`. */
export const stateOf = async (receipts: Receipts, { message }: Job, now = NOW) => {
  const receipt = await receipts.find(message.producer, message.id, now);
  return typeof receipt === "object" ? receipt.state : receipt;
};
