import type { Streams } from "../../shared/ports.ts";
import { ROOT } from "../../shared/streams/row.ts";
import type { StreamName, StreamRow } from "../../shared/streams/stream.ts";
import type { Change, Store } from "./store/store.ts";

/** Bytes of a page of rows. */
const PAGE_BYTES = 1_048_576;

/** Rows that are read at once. Each may have 300 KB. */
const PAGE_ROWS = 16;

/**
 * Streams in the store. What a reader gets is on the disk, or a power cut could take back a number that a client has
 * seen, and give it to another message.
 */
export function engineStreams(store: Store): Streams {
  /** The last write of each stream that has not reached the disk yet: whether it does. If one fails, so do those that wait behind it. */
  const writing = new Map<StreamName, Promise<boolean>>();

  const write = async (stream: StreamName, row: StreamRow): Promise<void> => {
    const written = store.write([changeOf(stream, row)]);
    const kept = written.then(
      () => true,
      () => false,
    );
    writing.set(stream, kept);
    try {
      await written;
    } finally {
      if (writing.get(stream) === kept) writing.delete(stream);
    }
  };

  /** Reads again if what it read could not be kept. */
  const onDisk = async <T>(stream: StreamName, read: () => T): Promise<T> => {
    for (;;) {
      const found = read();
      const written = writing.get(stream);
      if (written === undefined || (await written)) return found;
    }
  };

  const get = (stream: StreamName, seq: number): StreamRow | undefined => {
    const value = store.get("streams", keyOf(stream, seq));
    return value === undefined ? undefined : (JSON.parse(value) as StreamRow);
  };

  const last = (stream: StreamName): StreamRow | undefined => {
    const range = { from: `${stream} `, to: `${stream}!`, limit: 1, isReversed: true };
    return store.range("streams", range).map(({ value }) => JSON.parse(value) as StreamRow)[0];
  };

  const page = (stream: StreamName, from: number, to: number) => {
    const rows: StreamRow[] = [];
    for (let bytes = 0, at = from; at <= to; ) {
      if (bytes >= PAGE_BYTES) return { rows, isComplete: false };
      const found = store.range("streams", {
        from: keyOf(stream, at),
        to: `${keyOf(stream, to)} `,
        limit: PAGE_ROWS,
      });
      for (const { value } of found) {
        if (bytes >= PAGE_BYTES) return { rows, isComplete: false };
        bytes += value.length;
        rows.push(JSON.parse(value) as StreamRow);
      }
      if (found.length < PAGE_ROWS) break;
      at = (rows.at(-1)?.seq ?? to) + 1;
    }
    return { rows, isComplete: true };
  };

  return {
    last: (stream) => onDisk(stream, () => last(stream)),
    root: (stream) => onDisk(stream, () => get(stream, ROOT)),
    read: (stream, from, to) => onDisk(stream, () => page(stream, from, to)),
    async append(stream, row) {
      for (;;) {
        const found = get(stream, row.seq);
        if (found === undefined) {
          await write(stream, row);
          return undefined;
        }
        const kept = await onDisk(stream, () => get(stream, row.seq));
        if (kept !== undefined) return kept;
      }
    },
    async start(stream, root, seen) {
      const found = get(stream, ROOT);
      if (found !== undefined && found.next !== seen) return false;
      await write(stream, root);
      return true;
    },
    async empty(stream, { seq, index, run }) {
      const row = get(stream, seq);
      if (row?.run !== run || row.messages[index] === undefined) return false;
      await write(stream, { ...row, messages: row.messages.with(index, "") });
      return true;
    },
  };
}

/** Keys of a stream follow one another by number. No name of a stream holds a space. */
const keyOf = (stream: StreamName, seq: number): string => `${stream} ${String(seq).padStart(16, "0")}`;

const changeOf = (stream: StreamName, row: StreamRow): Change<"streams"> => ({
  table: "streams",
  key: keyOf(stream, row.seq),
  value: JSON.stringify(row),
  expiresAt: row.expiresAt,
});
