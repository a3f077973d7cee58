import { type HashRange, split } from "../domain/hash-range.ts";
import type { Job } from "../domain/message.ts";
import type { DeliveryPolicy } from "../domain/policy.ts";
import type { MessageQueue } from "../ports.ts";

/**
 * The ranges of the jobs that an audience of so many is split into; none where one run can serve it. The jobs are
 * half a run's share each, so that an estimate that was off does not split them again.
 */
export function rangesFor(
  audience: number,
  range: HashRange,
  { share, splitLimit }: Pick<DeliveryPolicy, "share" | "splitLimit">,
): readonly HashRange[] {
  if (audience <= share) return [];
  const ranges = split(range, Math.min(splitLimit, Math.ceil((2 * audience) / share)));
  return ranges.length > 1 ? ranges : [];
}

/** Puts a job for each range into the fanout lane; false where it did not take them all. Repeating it is harmless. */
export async function queueJobs(
  queue: Pick<MessageQueue, "send">,
  { message }: Job,
  ranges: readonly HashRange[],
): Promise<boolean> {
  const taken = await queue.send(
    "fanout",
    ranges.map((range) => ({ job: { message, range } })),
  );
  return taken.every((one) => one);
}
