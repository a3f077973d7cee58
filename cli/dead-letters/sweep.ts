import type { DeadLetter, DeadLetters } from "../../shared/ports.ts";

export interface SweepOptions {
  readonly queue: Pick<DeadLetters, "receive" | "release">;
  /** The number of dead letters per receive, 1-10. */
  readonly batch: number;
  /** How long a received dead letter stays hidden if it is not released, as after a kill. */
  readonly holdSeconds: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Ends the sweep after the batch that is under way. */
  readonly until: AbortSignal;
}

/** The result of a batch: the dead letters that are no longer in the queue, and whether the sweep may end. */
export interface Taken {
  readonly gone: readonly DeadLetter[];
  readonly enough?: boolean;
}

/** A dead letter sent this many milliseconds after the start of the sweep is left to the next. Clocks differ by less. */
const LATER = 60_000;

/**
 * Yields each dead letter of the queue once. What stays in the queue is hidden until the end, since one that is
 * released in between would be received again and again before the rest, and is then released at once, whatever
 * ends the sweep. Ends too while new letters keep coming in, and answers how many of them it left alone.
 */
export async function sweep(
  { queue, batch, holdSeconds, now, until }: SweepOptions,
  take: (fresh: readonly DeadLetter[]) => Promise<Taken>,
): Promise<{ readonly later: number }> {
  const began = now();
  const met = new Set<string>();
  const held = new Map<string, DeadLetter>();
  const later = new Set<string>();
  let idle = 0;
  try {
    // Letters come back where their hold is over; once all of them did, there was nothing else to see.
    while (!until.aborted && idle <= held.size) {
      const received = await queue.receive(batch, holdSeconds);
      if (received.length === 0) break;
      const fresh = received.filter(({ entryId, sentAt }) => !met.has(entryId) && sentAt <= began + LATER);
      idle = fresh.length > 0 ? 0 : idle + received.length;
      for (const deadLetter of received) {
        held.set(deadLetter.entryId, deadLetter);
        if (deadLetter.sentAt > began + LATER) later.add(deadLetter.entryId);
        else met.add(deadLetter.entryId);
      }
      if (fresh.length === 0) continue;
      const { gone, enough } = await take(fresh);
      for (const { entryId } of gone) held.delete(entryId);
      if (enough) break;
    }
    return { later: later.size };
  } finally {
    await queue.release([...held.values()]);
  }
}
