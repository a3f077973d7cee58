import Libsql from "libsql";

/** All that the store asks of an SQLite library: another one would be put here. */
export interface Connection {
  /** Runs statements that return nothing. */
  exec(sql: string): void;
  /** Prepares a statement that returns no rows, but how many it changed. */
  command(sql: string): (...values: readonly Value[]) => number;
  /** Prepares a statement whose rows are arrays. */
  query(sql: string): Query;
  close(): void;
}

export type Value = number | string | null;
/** A text that was cast to a blob comes as its bytes. */
export type Read = Value | Uint8Array;

export interface Query {
  first(...values: readonly Value[]): readonly Read[] | undefined;
  all(...values: readonly Value[]): readonly (readonly Read[])[];
  iterate(): Iterable<readonly Read[]>;
}

/** Opens a file, which is made if it is absent and not `readOnly`. A read-only connection leaves the file and its log as they are. */
export function connect(path: string, { readOnly = false } = {}): Connection {
  const database = new Libsql(
    readOnly ? `file:${encodeURI(path).replace(/[?#]/g, encodeURIComponent)}?mode=ro` : path,
  );
  return {
    exec: (sql) => void database.exec(sql),
    command(sql) {
      const statement = database.prepare(sql);
      return (...values) => statement.run(...values).changes;
    },
    query(sql) {
      const statement = database.prepare(sql).raw();
      return {
        first: (...values) => statement.get(...values) as readonly Read[] | undefined,
        all: (...values) => statement.all(...values) as (readonly Read[])[],
        iterate: () => statement.iterate() as Iterable<readonly Read[]>,
      };
    },
    close: () => void database.close(),
  };
}

/** What SQLite calls a fault, such as SQLITE_FULL; undefined for another's fault. */
export const sqliteCode = (fault: unknown): string | undefined =>
  fault instanceof Error && "code" in fault && String(fault.code).startsWith("SQLITE_")
    ? String(fault.code)
    : undefined;
