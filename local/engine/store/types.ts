/** The tables of the store. Keys of `entries` and `dead-letters` are integers, those of the others are texts. */
export interface Keys {
  /** What waits in the lanes, by order of arrival. */
  readonly entries: number;
  readonly "dead-letters": number;
  readonly receipts: string;
  readonly streams: string;
}

export type Table = keyof Keys;

export const TABLES: readonly Table[] = ["entries", "dead-letters", "receipts", "streams"];

export interface Row<K> {
  readonly key: K;
  readonly value: string;
}

/** One row that is put, or deleted if it has no value. */
export interface Change<T extends Table = Table> {
  readonly table: T;
  readonly key: Keys[T];
  readonly value?: string;
  /** Milliseconds since 1970 after which `expire` deletes the row. Absent: never. */
  readonly expiresAt?: number;
}

/** Rows on a disk, in tables that are sorted by their keys (texts by their bytes in UTF-8). One process uses them at a time. */
export interface Store {
  /** Returns the value of a row, as of the last `write` or `writeLater`, on the disk or not. */
  get<T extends Table>(table: T, key: Keys[T]): string | undefined;
  /**
   * Returns the rows with `from` <= key < `to` in ascending order, at most `limit` of them; in descending order from the
   * end if `isReversed`. As of the last `write` or `writeLater`.
   */
  range<T extends Table>(
    table: T,
    query: {
      readonly from: Keys[T];
      readonly to: Keys[T];
      readonly limit: number;
      readonly isReversed?: boolean;
    },
  ): readonly Row<Keys[T]>[];
  /**
   * Returns how many rows of a table may expire, as of the last `write` or `writeLater`. Reads an index and no row: rows may
   * be large, and nobody's sockets wait for a count.
   */
  count(table: Table): number;
  /**
   * Returns the rows of a range as the disk has them, which MUST include what had been written to them before the call,
   * unless that cannot be kept: on a full disk they are as they were before it.
   */
  rangeOnDisk<T extends Table>(
    table: T,
    query: { readonly from: Keys[T]; readonly to: Keys[T]; readonly limit: number },
  ): Promise<readonly Row<Keys[T]>[]>;
  /**
   * Applies the changes at once, as one unit that follows all earlier ones, and resolves once they have reached the
   * disk. Throws a TagwireError (STORE_UNAVAILABLE) if they cannot be kept: then they are undone, as are those of
   * all later writes that have not reached the disk.
   */
  write(changes: readonly Change[]): Promise<void>;
  /**
   * The same for changes that nobody waits for. They reach the disk with the next `write`, or within 100 ms. What cannot
   * be kept is tried again with the next one.
   */
  writeLater(changes: readonly Change[]): void;
  /** Resolves once all that was written so far has reached the disk. Throws like `write`. */
  flushed(): Promise<void>;
  /** Deletes the rows that expired before `now`, and gives the room of deleted rows back, a part at a time. */
  expire(now: number): Promise<void>;
  /** Writes a copy of the whole store to a new file, while it is used. */
  backUp(path: string): Promise<void>;
  /** Flushes and closes. */
  close(): Promise<void>;
}

export interface StoreOptions {
  /** The folder of the files; it is made if it is absent. @default none: rows are in memory, and end with the process */
  readonly folder?: string;
  /** The most bytes of the main file; writes that need more throw. @default none: as much as the disk has */
  readonly maxBytes?: number;
  /** Called before changes go to the disk: what they tell of must have happened by then. @default nothing */
  readonly beforeCommit?: () => void;
  /** Called if the store can never be used again: its thread has ended, or its rows are damaged. @default nothing */
  readonly onLost?: (fault: unknown) => void;
}
