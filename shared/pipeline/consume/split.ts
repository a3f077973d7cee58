import type { MessageQueue } from "../../ports.ts";
import { fanoutLane } from "../../protocol/lane.ts";
import { type HashRange, split } from "../../receipts/hash-range.ts";
import type { Job } from "../../receipts/job.ts";
import { type DeliveryPolicy, jobsFor } from "../../settings/policy.ts";

/** The ranges of the jobs that an audience is split into; none where one run can serve it, or the range is too narrow. */
export function rangesFor(
  audience: number,
  range: HashRange,
  policy: Pick<DeliveryPolicy, "recipientsPerRun" | "splitLimit">,
): readonly HashRange[] {
  const jobs = jobsFor(audience, policy);
  const ranges = jobs > 1 ? split(range, jobs) : [];
  return ranges.length > 1 ? ranges : [];
}

/** Puts a job for each range into the fanout lane of their priority; false where it did not take them all. Repeating it is harmless. */
export async function queueJobs(
  queue: Pick<MessageQueue, "send">,
  { message, seq }: Job,
  ranges: readonly HashRange[],
): Promise<boolean> {
  const taken = await queue.send(
    fanoutLane(message.priority),
    ranges.map((range) => ({ job: { message, range, ...(seq === undefined ? {} : { seq }) } })),
  );
  return taken.every((one) => one);
}
