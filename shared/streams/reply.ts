import type { StreamRow } from "./stream.ts";

/** Bytes of messages in one reply, over all its topics. The rest of a frame's 128 KB is for topics and positions. */
export const REPLY_BYTES = 122_880;

/** `,"seq":` and the 16 digits of the largest number, and the comma after the message. */
const SEQ_BYTES = 24;

/** A message of a reply. `frame` is its JSON without `seq`. */
export interface KeptMessage {
  readonly seq: number;
  readonly frame: string;
}

/** What a client gets of a stream. */
export interface StreamReply {
  /** In ascending order. Numbers without data are left out. */
  readonly messages: readonly KeptMessage[];
  /** Where the client is in the stream after this reply. */
  readonly position: number;
  /** Whether the client missed nothing up to the position, and misses nothing as long as it goes on from there. */
  readonly recovered: boolean;
  /** Whether the stream has numbers after the position. */
  readonly more: boolean;
  /** Whether a message between the asked position and `position` is lost, or too large for every reply. */
  readonly gap: boolean;
}

/** Bytes that a message takes of a reply. */
export const replyBytes = (frame: string): number => Buffer.byteLength(frame) + SEQ_BYTES;

/** The frame of a row with its number. */
export const withSeq = (frame: string, seq: number): string => `${frame.slice(0, -1)},"seq":${seq}}`;

/** How a walk over rows ended. `lost`: the number is past its time, or its row is not there. */
export type WalkEnd = "rows" | "full" | "lost";

/** A walk over rows, number by number. */
export interface Walk {
  readonly messages: KeptMessage[];
  /** The first number that was not walked over. */
  next: number;
  /** Bytes left for messages. */
  budgetBytes: number;
  /** Whether a message was too large for every reply. */
  omitted: boolean;
}

/**
 * Walks over rows in ascending order from `walk.next` on, and takes their messages. Stops before a number that is
 * missing or whose message is no longer given out at `now`, and before a message that does not fit any more. Numbers
 * without data never expire.
 */
export function walkOver(walk: Walk, rows: readonly StreamRow[], now: number): WalkEnd {
  for (const row of rows) {
    if (row.next <= walk.next) continue;
    if (row.seq > walk.next) return "lost";
    for (const frame of row.messages.slice(walk.next - row.seq)) {
      if (frame !== "") {
        if (row.until <= now) return "lost";
        const given = fitting(frame);
        const bytes = replyBytes(given);
        if (bytes > walk.budgetBytes) return "full";
        walk.messages.push({ seq: walk.next, frame: given });
        walk.budgetBytes -= bytes;
        walk.omitted ||= given !== frame;
      }
      walk.next++;
    }
  }
  return "rows";
}

/** A frame that fits no reply comes without its data. */
function fitting(frame: string): string {
  if (replyBytes(frame) <= REPLY_BYTES) return frame;
  const { data: _, ...rest } = JSON.parse(frame) as Record<string, unknown>;
  return JSON.stringify({ ...rest, omitted: true });
}

/**
 * Where a walk can go on after the lost number `next`: after its row, or at the next row that is there. `rows` hold all
 * numbers from `next` to `to`.
 */
export function afterLoss(next: number, rows: readonly StreamRow[], to: number): number {
  const own = rows.find((row) => row.seq <= next && next < row.next);
  return own?.next ?? rows.find((row) => row.seq > next)?.seq ?? to + 1;
}

/** How many numbers fill the rest of a reply, by the size of the messages that are known. */
export function numbersFor({ messages, budgetBytes }: Walk, head: StreamRow): number {
  const known = messages.length > 0 ? messages.map(({ frame }) => frame) : head.messages;
  const bytes = known.reduce((sum, frame) => sum + replyBytes(frame), 0);
  const each = known.length > 0 ? bytes / known.length : TYPICAL_BYTES;
  return Math.min(MOST_NUMBERS, Math.max(LEAST_NUMBERS, Math.ceil(budgetBytes / each)));
}

const TYPICAL_BYTES = 1_024;
const LEAST_NUMBERS = 10;
const MOST_NUMBERS = 2_000;
