import type { Clock, Streams } from "../../ports.ts";
import { TagwireError } from "../../protocol/errors.ts";
import { endOf } from "../../streams/row.ts";
import type { StreamName, StreamRow } from "../../streams/stream.ts";

/** Milliseconds for which rows are remembered. */
const AGE = 10_000;

/** Streams that are remembered, and bytes of messages of each: a reply has 120 KB. */
const STREAMS = 16;
const BYTES = 1_000_000;

/** All rows whose keys are from `from` to `to`, as they were at `at` by the monotonic clock. */
interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly rows: readonly StreamRow[];
  readonly at: number;
}

/**
 * Streams whose rows are read from memory while the table refuses reads, and for 10 s after it did. Many clients that
 * resume one stream at once ask for the same rows, and a partition reads 3,000 units a second; a row does not change
 * once it is written, but that a cancelled message is emptied. The head is always read, so that a client's position is
 * real: what was appended since is asked of the table. MUST NOT be asked for numbers beyond the head.
 */
export function rememberedRows(streams: Streams, { monotonic }: Pick<Clock, "monotonic">): Streams {
  const known = new Map<StreamName, Stretch>();
  const remember = (stream: StreamName, stretch: Stretch) => {
    const before = known.get(stream);
    known.delete(stream);
    if (bytesOf(stretch.rows) <= BYTES) known.set(stream, wider(before, stretch));
    const [oldest] = known.keys();
    if (known.size > STREAMS && oldest !== undefined) known.delete(oldest);
  };
  /** When the table last refused a read. */
  let refusedAt = Number.NEGATIVE_INFINITY;
  const isShort = () => monotonic() < refusedAt + AGE;
  const watched = <T>(answer: Promise<T>): Promise<T> =>
    answer.catch((fault: unknown) => {
      if (fault instanceof TagwireError) refusedAt = monotonic();
      throw fault;
    });
  const remembered = (stream: StreamName, from: number, to: number): Rows | undefined => {
    const stretch = known.get(stream);
    if (!stretch || stretch.at + AGE < monotonic() || from < stretch.from || stretch.to < from)
      return undefined;
    const rows = stretch.rows.filter(({ seq }) => from <= seq && seq <= to);
    return rows.length > 0 ? { rows, isComplete: to <= stretch.to } : undefined;
  };
  return {
    ...streams,
    last: (stream) => watched(streams.last(stream)),
    async read(stream, from, to) {
      const page = isShort() ? remembered(stream, from, to) : undefined;
      if (page) return page;
      try {
        const page = await watched(streams.read(stream, from, to));
        const last = page.rows.at(-1);
        // Beyond the last row there may be one later.
        if (last) remember(stream, { from, to: Math.min(to, endOf(last)), rows: page.rows, at: monotonic() });
        return page;
      } catch (fault) {
        const page = remembered(stream, from, to);
        if (page) return page;
        throw fault;
      }
    },
  };
}

type Rows = Awaited<ReturnType<Streams["read"]>>;

/** The wider of two stretches: clients that missed less than others ask for a part of it. */
function wider(before: Stretch | undefined, now: Stretch): Stretch {
  const holds = before && before.from <= now.from && now.to <= before.to && now.at < before.at + AGE / 2;
  return holds ? before : now;
}

const bytesOf = (rows: readonly StreamRow[]): number =>
  rows.reduce((sum, { messages }) => sum + messages.reduce((bytes, text) => bytes + text.length, 0), 0);
