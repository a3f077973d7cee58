import type { DeadLetters } from "../../shared/ports.ts";
import { Failure } from "../failure.ts";
import type { Io } from "../io.ts";
import { type Filter, matches, matchesReason } from "./filter.ts";
import { type ParsedDeadLetter, parseDeadLetter } from "./parsed-dead-letter.ts";
import { type Lookup, reasonOf } from "./reason.ts";
import { sweep } from "./sweep.ts";

/** A letter that is meant, and its reason as far as anybody asked for it. */
export interface Chosen {
  readonly deadLetter: ParsedDeadLetter;
  readonly reason: string | undefined;
}

export interface Selection {
  readonly queue: DeadLetters;
  readonly filter: Filter;
  /** How many letters at most. */
  readonly limit: number;
  readonly holdSeconds: number;
  readonly batch: number;
  readonly lookup: Lookup;
  /** Whether the reasons are to be shown; a filter by reason asks for them anyway. */
  readonly reasons: boolean;
}

/**
 * Hands over the letters that are meant, a batch at a time; `take` answers those that are not in the queue any
 * more. Throws a Failure where it was interrupted.
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
