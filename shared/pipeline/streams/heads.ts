import type { Clock } from "../../ports.ts";
import { endOf } from "../../streams/row.ts";
import type { StreamName, StreamRow } from "../../streams/stream.ts";

/** What a container remembers of the heads of streams. */
export interface Heads {
  /** Returns the number of the last message, if it was learnt within the last second. The stream may be further. */
  known(stream: StreamName): number | undefined;
  /** Returns a head after which an append goes on without a read of its own. It has no messages. */
  take(stream: StreamName): StreamRow | undefined;
  /** The head was read. */
  looked(stream: StreamName, row: StreamRow): void;
  /** The container wrote `row` after `head`, and no other row was in the way. */
  appended(stream: StreamName, row: StreamRow, head: StreamRow): void;
  /** `row` was in the way of an append. */
  conflicted(stream: StreamName, row: StreamRow): void;
}

interface Known {
  readonly row: StreamRow;
  /** Whether this container wrote it. */
  readonly isOwn: boolean;
  /** Whether the row before it was this container's too, and nobody came between. */
  readonly isLone: boolean;
  /** When it was learnt, by `clock.monotonic()`. */
  readonly at: number;
  /** Whether it was read, and no append has gone on from it. */
  readonly isUnused: boolean;
}

/** Milliseconds for which a number is good enough to look for a message after it. */
const KNOWN = 1_000;

/** Milliseconds: a run reads the head for its claim, claims, and appends. */
const FRESH = 250;

/** Milliseconds without an append after which the next one is not expected before this container's. */
const QUIET = 200;

const STREAMS = 1_000;

/** A row has up to 300 KB of messages, which nobody asks for here. */
const withoutMessages = ({ seq, next, run, at, until, expiresAt }: StreamRow): StreamRow => ({
  seq,
  next,
  messages: [],
  ...(run === undefined ? {} : { run }),
  at,
  until,
  expiresAt,
});

/**
 * A failed put is billed like a write and a read costs a fifth of it, so a container goes on without a read only if it
 * has just read a head that is its own or old, or if it appended last twice in a row: while others append too, what it
 * knows is not the head for long.
 */
export function rememberedHeads(clock: Pick<Clock, "now" | "monotonic">): Heads {
  const streams = new Map<StreamName, Known>();
  const remember = (stream: StreamName, row: StreamRow, known: Omit<Known, "row" | "at">): void => {
    streams.delete(stream);
    streams.set(stream, { row: withoutMessages(row), at: clock.monotonic(), ...known });
    const [oldest] = streams.keys();
    if (streams.size > STREAMS && oldest !== undefined) streams.delete(oldest);
  };
  const isReady = ({ row, isOwn, isLone, at, isUnused }: Known): boolean =>
    isLone || (isUnused && clock.monotonic() - at < FRESH && (isOwn || clock.now() - row.at >= QUIET));
  return {
    known(stream) {
      const known = streams.get(stream);
      return known && clock.monotonic() - known.at < KNOWN ? endOf(known.row) : undefined;
    },
    take(stream) {
      const known = streams.get(stream);
      if (known === undefined || !isReady(known)) return undefined;
      streams.set(stream, { ...known, isUnused: false });
      return known.row;
    },
    looked(stream, row) {
      const before = streams.get(stream);
      const { isOwn, isLone } = before?.row.next === row.next ? before : { isOwn: false, isLone: false };
      remember(stream, row, { isOwn, isLone, isUnused: true });
    },
    appended(stream, row, head) {
      const before = streams.get(stream);
      const isLone = before?.isOwn === true && before.row.next === head.next;
      remember(stream, row, { isOwn: true, isLone, isUnused: false });
    },
    conflicted: (stream, row) => remember(stream, row, { isOwn: false, isLone: false, isUnused: false }),
  };
}
