import type { Clock } from "../../ports.ts";
import type { StreamName, StreamRow } from "../../streams/stream.ts";

/** What a container remembers of the heads of streams. */
export interface Heads {
  /** Returns a head after which an append may go on without a read. */
  take(stream: StreamName): StreamRow | undefined;
  /** The head was read. */
  looked(stream: StreamName, row: StreamRow): void;
  /** The container wrote `row` after `head`, and no other row was in the way. */
  appended(stream: StreamName, row: StreamRow, head: StreamRow): void;
  /** Another row was in the way. */
  forget(stream: StreamName): void;
}

interface Known {
  readonly row: StreamRow;
  /** Whether this container wrote it. */
  readonly isOwn: boolean;
  /** Whether the row before it was this container's too, and nobody came between. */
  readonly isLone: boolean;
  /** Until when a head that was read needs no second read, by `clock.monotonic()`. */
  readonly freshUntil: number;
}

/** Milliseconds: a run reads the head for its claim, claims, and appends. */
const FRESH = 250;

const STREAMS = 1_000;

/**
 * A failed put is billed like a write, so a container trusts a head only if it has just read it, or if it appended last
 * twice in a row: while others append too, what it wrote is not the head for long.
 */
export function rememberedHeads(clock: Pick<Clock, "monotonic">): Heads {
  const known = new Map<StreamName, Known>();
  const remember = (stream: StreamName, head: Known): void => {
    known.delete(stream);
    known.set(stream, head);
    const [oldest] = known.keys();
    if (known.size > STREAMS && oldest !== undefined) known.delete(oldest);
  };
  return {
    take(stream) {
      const head = known.get(stream);
      if (head === undefined || !(head.isLone || clock.monotonic() < head.freshUntil)) return undefined;
      known.set(stream, { ...head, freshUntil: 0 });
      return head.row;
    },
    looked(stream, row) {
      const before = known.get(stream);
      const same = before?.row.next === row.next ? before : { isOwn: false, isLone: false };
      remember(stream, { ...same, row, freshUntil: clock.monotonic() + FRESH });
    },
    appended(stream, row, head) {
      const before = known.get(stream);
      const isLone = before?.isOwn === true && before.row.next === head.next;
      remember(stream, { row, isOwn: true, isLone, freshUntil: 0 });
    },
    forget: (stream) => void known.delete(stream),
  };
}
