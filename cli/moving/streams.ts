import type { LineOf } from "../../shared/moving/line.ts";
import type { Streams } from "../../shared/ports/streams.ts";
import type { StreamName, StreamRow } from "../../shared/streams/stream.ts";

export interface StreamsCarried {
  /** Streams that have begun at their destination by themselves, so that nothing can be put before it. */
  readonly begun: readonly StreamName[];
}

export interface CarryStreams {
  /** Writes rows that are absent, with their numbers. Returns how many were, and how many were there. */
  carry(lines: readonly LineOf<"stream">[]): Promise<{ readonly carried: number; readonly there: number }>;
  begun(): readonly StreamName[];
}

/**
 * Rows of streams keep their numbers. The head of a stream comes first: whoever appends meanwhile goes on after it, and whoever
 * reads finds a hole until the rest is there, which is a gap and no loss in silence.
 */
export function carryStreams(streams: Streams): CarryStreams {
  const begun = new Set<StreamName>();
  let stream: StreamName | undefined;

  const begin = async ({ stream: name, row }: LineOf<"stream">): Promise<boolean> => {
    const last = await streams.last(name);
    const there = last === undefined ? await streams.append(name, row) : await rowAt(name, row.seq);
    const root = await streams.root(name);
    const isNew = last === undefined && there === undefined;
    if (!(isNew || isSame(there, row)) || (root !== undefined && root.next > row.next)) begun.add(name);
    return isNew;
  };
  const rowAt = async (name: StreamName, seq: number) => (await streams.read(name, seq, seq)).rows[0];

  const write = async ({ stream: name, row }: LineOf<"stream">): Promise<boolean> => {
    if (begun.has(name)) return false;
    const there = await streams.append(name, row);
    if (there !== undefined && !isSame(there, row)) begun.add(name);
    return there === undefined;
  };

  return {
    async carry(lines) {
      const [heads, others]: LineOf<"stream">[][] = [[], []];
      for (const line of lines) {
        (line.stream === stream ? others : heads)?.push(line);
        stream = line.stream;
      }
      const written = [
        ...(await Promise.all((heads ?? []).map(begin))),
        ...(await Promise.all((others ?? []).map(write))),
      ];
      const carried = written.filter((isNew) => isNew).length;
      return { carried, there: written.length - carried };
    },
    begun: () => [...begun],
  };
}

/** Whether it is the same row, though a message of it may have been emptied. */
const isSame = (there: StreamRow | undefined, { seq, next, at, run }: StreamRow): boolean =>
  there?.seq === seq && there.next === next && there.at === at && there.run === run;
