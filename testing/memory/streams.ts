import type { Streams } from "../../shared/ports.ts";
import type { StreamName, StreamRow } from "../../shared/streams/stream.ts";

export interface MemoryStreams extends Streams {
  /** The rows of a stream in ascending order. */
  rowsOf(stream: StreamName): readonly StreamRow[];
  /** Deletes those of the rows that have expired at `now` (milliseconds since 1970) which `isDeleted` names. */
  expire(now: number, isDeleted?: (row: StreamRow) => boolean): void;
}

/** Bytes of one page of a Query (DynamoDB API, Query). */
const PAGE_BYTES = 1_048_576;

/** Stream rows in a Map of Maps. */
export function memoryStreams({ pageBytes = PAGE_BYTES } = {}): MemoryStreams {
  const streams = new Map<StreamName, Map<number, StreamRow>>();
  const rowsIn = (stream: StreamName) => {
    const rows = streams.get(stream) ?? new Map<number, StreamRow>();
    streams.set(stream, rows);
    return rows;
  };
  const sorted = (stream: StreamName) => [...rowsIn(stream).values()].sort((a, b) => a.seq - b.seq);
  return {
    last: async (stream) => {
      const rows = rowsIn(stream);
      return structuredClone(rows.get([...rows.keys()].reduce((most, seq) => Math.max(most, seq), 0)));
    },
    root: async (stream) => structuredClone(rowsIn(stream).get(0)),
    async read(stream, from, to) {
      const wanted = sorted(stream).filter(({ seq }) => from <= seq && seq <= to);
      let bytes = 0;
      const rows: StreamRow[] = [];
      for (const row of wanted) {
        if (bytes >= pageBytes) break;
        rows.push(row);
        bytes += row.messages.reduce((sum, message) => sum + Buffer.byteLength(message), 0);
      }
      return { rows: structuredClone(rows), isComplete: rows.length === wanted.length };
    },
    async append(stream, row) {
      const rows = rowsIn(stream);
      const found = rows.get(row.seq);
      if (found === undefined) rows.set(row.seq, structuredClone(row));
      return structuredClone(found);
    },
    async start(stream, root, seen) {
      const rows = rowsIn(stream);
      const found = rows.get(0);
      if (found !== undefined && found.next !== seen) return false;
      rows.set(0, structuredClone(root));
      return true;
    },
    async empty(stream, { seq, index, run }) {
      const rows = rowsIn(stream);
      const row = rows.get(seq);
      if (row?.run !== run || row.messages[index] === undefined) return false;
      rows.set(seq, { ...row, messages: row.messages.with(index, "") });
      return true;
    },
    rowsOf: (stream) => structuredClone(sorted(stream)),
    expire(now, isDeleted = () => true) {
      for (const rows of streams.values()) {
        for (const row of rows.values()) {
          if (row.expiresAt < now && isDeleted(row)) rows.delete(row.seq);
        }
      }
    },
  };
}
