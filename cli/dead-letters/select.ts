import type { DeadLetters } from "../../shared/ports.ts";
import { Failure } from "../failure.ts";
import type { Io } from "../io.ts";
import { type Filter, matches, matchesReason } from "./filter.ts";
import { type ParsedDeadLetter, parseDeadLetter } from "./parsed-dead-letter.ts";
import { type Lookup, reasonOf } from "./reason.ts";
import { sweep } from "./sweep.ts";

/** A dead letter that matches, and its reason if it was requested. */
export interface Chosen {
  readonly deadLetter: ParsedDeadLetter;
  readonly reason: string | undefined;
}

export interface Selection {
  readonly queue: DeadLetters;
  readonly filter: Filter;
  /** The maximum number of dead letters. */
  readonly limit: number;
  readonly holdSeconds: number;
  readonly batch: number;
  readonly lookup: Lookup;
  /** Whether to look the reasons up. A filter by reason does so in any case. */
  readonly reasons: boolean;
}

/**
 * Calls `take` with the dead letters that match, a batch at a time. `take` returns those that are no longer in the
 * queue. Throws a Failure if it was interrupted.
 */
export async function select(
  io: Io,
  selection: Selection,
  take: (chosen: readonly Chosen[], until: AbortSignal) => Promise<readonly ParsedDeadLetter[]>,
): Promise<void> {
  const { queue, filter, limit, holdSeconds, batch, lookup } = selection;
  const until = io.interrupt();
  const began = io.now();
  const asks = selection.reasons || filter.reason !== undefined;
  let count = 0;
  const { later } = await sweep({ queue, batch, holdSeconds, now: io.now, until }, async (fresh) => {
    const matching = fresh.map(parseDeadLetter).filter((deadLetter) => matches(filter, deadLetter, began));
    const withReasons = await Promise.all(
      matching.map(async (deadLetter) => ({
        deadLetter,
        reason: asks ? await reasonOf(deadLetter, lookup) : undefined,
      })),
    );
    const chosen = withReasons.filter(({ reason }) => matchesReason(filter, reason)).slice(0, limit - count);
    count += chosen.length;
    return { gone: chosen.length > 0 ? await take(chosen, until) : [], enough: count >= limit };
  });
  if (later > 0) io.stderr.write(`${later} dead letters came later and were left alone\n`);
  if (until.aborted) throw new Failure("interrupted; what is left is in the queue");
}
