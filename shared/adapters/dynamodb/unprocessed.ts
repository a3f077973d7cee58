import { backoff } from "../../backoff.ts";
import type { Clock, Random } from "../../ports.ts";
import { TagwireError } from "../../protocol/errors.ts";

export interface RoundsDeps {
  readonly clock: Pick<Clock, "monotonic" | "pause">;
  readonly random: Random;
  /** When the last round may begin, in milliseconds by `clock.monotonic()`. */
  readonly deadlineMs: number;
}

/** Milliseconds, with full jitter; the base is that of the SDK's own retries. */
const PAUSE = { base: 50, cap: 1_000 };

/**
 * Makes a batch call until it has processed all items: DynamoDB may return a part as unprocessed, and the SDK does not
 * repeat that part. AWS asks for exponential back-off between the rounds (BatchWriteItem, BatchGetItem). `call` gets
 * one batch (at most 25 writes or 100 keys) and returns what of it stayed unprocessed; a call that is throttled, as one
 * is that could process nothing, leaves all of it. Throws TABLE_UNAVAILABLE if items are left and the next round would
 * begin after the deadline; what earlier rounds did stands.
 */
export async function inRounds<T>(
  { clock, random, deadlineMs }: RoundsDeps,
  items: readonly T[],
  call: (items: readonly T[]) => Promise<readonly T[]>,
): Promise<void> {
  let left = items;
  for (let round = 0; ; round++) {
    let throttled: unknown;
    try {
      left = await call(left);
    } catch (fault) {
      if (!isThrottled(fault)) throw fault;
      throttled = fault;
    }
    if (left.length === 0) return;
    const pause = backoff(round, PAUSE, random());
    if (clock.monotonic() + pause > deadlineMs) {
      throw new TagwireError(
        "TABLE_UNAVAILABLE",
        `${left.length} of ${items.length} items stayed unprocessed`,
        throttled ? { cause: throttled } : {},
      );
    }
    await clock.pause(pause);
  }
}

/** The names by which DynamoDB says that a table, a partition or the account has no capacity left. */
const THROTTLES: ReadonlySet<string> = new Set([
  "ProvisionedThroughputExceededException",
  "ThrottlingException",
  "RequestLimitExceeded",
]);

/** Whether DynamoDB did nothing of what a call asked, since it has no capacity left. */
export const isThrottled = (fault: unknown): boolean => fault instanceof Error && THROTTLES.has(fault.name);
