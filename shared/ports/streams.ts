import type { StreamName, StreamRow } from "../streams/stream.ts";

/** The rows of streams. Every read MUST include all writes that have returned. */
export interface Streams {
  /** Returns the row with the highest `seq`, the root included. Returns undefined if the stream has no row. */
  last(stream: StreamName): Promise<StreamRow | undefined>;
  /** Returns row 0. */
  root(stream: StreamName): Promise<StreamRow | undefined>;
  /** Returns the rows with `from` <= `seq` <= `to` in ascending order, at most a page of them (1 MB in DynamoDB). */
  read(
    stream: StreamName,
    from: number,
    to: number,
  ): Promise<{ readonly rows: readonly StreamRow[]; readonly isComplete: boolean }>;
  /** Writes a row if there is none with its `seq`. Returns undefined, or the row that is there. */
  append(stream: StreamName, row: StreamRow): Promise<StreamRow | undefined>;
  /** Writes the root if it is absent or its `next` is `seen`. Returns false and writes nothing if not. */
  start(stream: StreamName, root: StreamRow, seen: number | undefined): Promise<boolean>;
  /** Empties one message of a row that `run` wrote. Returns false and writes nothing if there is no such row. */
  empty(
    stream: StreamName,
    place: { readonly seq: number; readonly index: number; readonly run: string },
  ): Promise<boolean>;
}
