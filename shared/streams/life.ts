import type { Retention, StreamRow } from "./stream.ts";

const HOUR = 3_600_000;

/** How long DynamoDB keeps a row after its messages are no longer given out, at least. */
const KEPT = 24 * HOUR;

/** Time to live deletes late and in any order, so a head stops counting this long before it may be deleted. */
const MARGIN = 6 * HOUR;

/** Before a head stops counting: the time in which a subscriber appends an empty number after it. */
const RENEWAL = 6 * HOUR;

export type Life = Pick<StreamRow, "at" | "until" | "expiresAt">;

/**
 * The times of a row that is written `now` (milliseconds since 1970). It never expires before the rows that were
 * written before it: `least` is the latest of their `expiresAt`.
 */
export function lifeOf(now: number, { seconds }: Pick<Retention, "seconds">, least = 0): Life {
  const until = now + seconds * 1000;
  return { at: now, until, expiresAt: Math.max(Math.ceil((until + KEPT) / 1000) * 1000, least) };
}

/** Whether a row can be the head of its stream: something that a position or an append may follow. */
export const counts = ({ expiresAt }: Pick<StreamRow, "expiresAt">, now: number): boolean =>
  now < expiresAt - MARGIN;

/** Whether a head stops counting soon. */
export const isDue = ({ expiresAt }: Pick<StreamRow, "expiresAt">, now: number): boolean =>
  now >= expiresAt - MARGIN - RENEWAL;
