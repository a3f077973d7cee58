import { lifeOf } from "./life.ts";
import type { Retention, StreamRow } from "./stream.ts";

/** Messages in one row. A read for the number `n` starts this many numbers before it. */
export const ROW_MESSAGES = 10;

/** Bytes of messages in one row. DynamoDB stores items of up to 400 KB, and the rest is for names and lengths. */
export const ROW_BYTES = 307_200;

/** The row of a stream that stands at 0 and says where it starts. */
export const ROOT = 0;

/** A row without numbers. It stands where the rows before a new start ended, so that no late append goes on there. */
export const isBlocker = ({ seq, messages }: StreamRow): boolean => seq !== ROOT && messages.length === 0;

/** The number of the last message up to a row. */
export const endOf = ({ next }: Pick<StreamRow, "next">): number => next - 1;

/** Frames in order, in as many rows as they need: at most 10 messages and 300 KB of UTF-8 each. */
export function inRows(frames: readonly string[]): string[][] {
  const rows: string[][] = [];
  let bytes = 0;
  for (const frame of frames) {
    const size = Buffer.byteLength(frame);
    const row = rows.at(-1);
    if (row === undefined || row.length === ROW_MESSAGES || bytes + size > ROW_BYTES) {
      rows.push([frame]);
      bytes = size;
    } else {
      row.push(frame);
      bytes += size;
    }
  }
  return rows;
}

interface Writing {
  readonly now: number;
  readonly retention: Retention;
}

/** The row of `messages` after a head. */
export const rowAfter = (
  head: StreamRow,
  messages: readonly string[],
  { now, retention, run }: Writing & { readonly run: string },
): StreamRow => ({
  seq: head.next,
  next: head.next + messages.length,
  messages,
  run,
  ...lifeOf(now, retention, head.expiresAt),
});

/** A row of one number without data: it proves that nothing was missed up to it. */
export const emptyRowAfter = (head: StreamRow, { now, retention }: Writing): StreamRow => ({
  seq: head.next,
  next: head.next + 1,
  messages: [""],
  ...lifeOf(now, retention, head.expiresAt),
});

/** What is left of a stream whose head no longer counts. */
export interface Remains {
  /** The number after the last one. Undefined if there is no row. */
  readonly next?: number;
  /** The latest `expiresAt` of its rows. */
  readonly expiresAt: number;
}

/** The blocker at `seq`. */
export const blockerAt = (seq: number, { expiresAt }: Remains, { now, retention }: Writing): StreamRow => ({
  seq,
  next: seq,
  messages: [],
  ...lifeOf(now, retention, expiresAt),
});

/**
 * The root of a new start. Numbers begin at the microseconds of the clock, so no later start has one of an earlier
 * start again, even if all rows of that are gone; a clock that is behind goes on after the numbers that are there.
 */
export const rootAfter = ({ next = 0, expiresAt }: Remains, { now, retention }: Writing): StreamRow => ({
  seq: ROOT,
  next: Math.max(Math.floor(now * 1000), next + 1),
  messages: [],
  ...lifeOf(now, retention, expiresAt),
});
