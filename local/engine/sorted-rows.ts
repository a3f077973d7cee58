/** Rows in the order of their keys, in chunks, so that no change moves more than one chunk of them. */
export interface SortedRows<T> {
  get(key: string): T | undefined;
  /** Adds a row, or puts it in the place of the one with its key. */
  set(row: T): void;
  delete(key: string): void;
  /** Returns the rows with `from` <= key < `to` in ascending order, at most `limit` of them. */
  slice(from: string, to: string, limit: number): T[];
  /** Returns all rows in ascending order. */
  all(): T[];
  size(): number;
}

/** Most rows in one chunk. */
const CHUNK = 512;

/** `keyOf` MUST return the same key for a row at all times. */
export function sortedRows<T>(keyOf: (row: T) => string): SortedRows<T> {
  const chunks: T[][] = [];
  let count = 0;

  const keyAt = (chunk: readonly T[], index: number): string => {
    const row = chunk[index];
    return row === undefined ? "" : keyOf(row);
  };
  /** The first of `length` places for which `isBefore` is false. */
  const search = (length: number, isBefore: (index: number) => boolean): number => {
    let low = 0;
    let high = length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isBefore(middle)) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  /** The place of the first row whose key is not before `key`. */
  const place = (key: string): readonly [number, number] => {
    const chunkAt = search(chunks.length, (index) => {
      const chunk = chunks[index] ?? [];
      return keyAt(chunk, chunk.length - 1) < key;
    });
    const chunk = chunks[chunkAt] ?? [];
    return [chunkAt, search(chunk.length, (index) => keyAt(chunk, index) < key)];
  };
  const find = (key: string): readonly [T[], number, number] | undefined => {
    const [chunkAt, at] = place(key);
    const chunk = chunks[chunkAt];
    return chunk !== undefined && at < chunk.length && keyAt(chunk, at) === key
      ? [chunk, at, chunkAt]
      : undefined;
  };
  const insert = (row: T, key: string) => {
    count++;
    const [chunkAt, at] = place(key);
    const chunk = chunks[chunkAt] ?? chunks.at(-1);
    if (chunk === undefined) return void chunks.push([row]);
    if (chunkAt === chunks.length) chunk.push(row);
    else chunk.splice(at, 0, row);
    if (chunk.length > CHUNK) {
      chunks.splice(Math.min(chunkAt, chunks.length - 1) + 1, 0, chunk.splice(CHUNK >> 1));
    }
  };

  return {
    get(key) {
      const found = find(key);
      return found?.[0][found[1]];
    },
    set(row) {
      const key = keyOf(row);
      const found = find(key);
      if (found === undefined) return insert(row, key);
      found[0][found[1]] = row;
    },
    delete(key) {
      const found = find(key);
      if (found === undefined) return;
      const [chunk, at, chunkAt] = found;
      count--;
      chunk.splice(at, 1);
      if (chunk.length === 0) chunks.splice(chunkAt, 1);
    },
    slice(from, to, limit) {
      const [first, start] = place(from);
      const [last, end] = place(to);
      let rows: T[] = [];
      for (let chunkAt = first; chunkAt <= last && rows.length < limit; chunkAt++) {
        const left = limit - rows.length;
        const begin = chunkAt === first ? start : 0;
        const part = (chunks[chunkAt] ?? []).slice(
          begin,
          Math.min(begin + left, chunkAt === last ? end : CHUNK),
        );
        rows = rows.length === 0 ? part : rows.concat(part);
      }
      return rows;
    },
    all: () => chunks.flat(),
    size: () => count,
  };
}
