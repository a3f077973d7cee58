import type { Connection, Query, Read } from "./driver.ts";
import { damage, thrown } from "./fault.ts";
import { checksum, columns, SQL_NAMES } from "./schema.ts";
import { type Keys, type Row, TABLES, type Table } from "./types.ts";

export interface ExpiringRow<K> extends Row<K> {
  /** Milliseconds since 1970 after which the row may be deleted. Null: never. */
  readonly expiresAt: number | null;
}

interface Queries {
  readonly get: Query;
  readonly up: Query;
  readonly down: Query;
  readonly count: Query;
}

/** Reads rows of one connection, and checks each. */
export class Reader {
  readonly #connection: Connection;
  readonly #folder: string;
  readonly #queries: Readonly<Record<Table, Queries>>;

  constructor(connection: Connection, folder: string) {
    this.#connection = connection;
    this.#folder = folder;
    const queries = (table: Table): Queries => {
      const from = `SELECT ${columns(table)} FROM ${SQL_NAMES[table]} WHERE key`;
      return {
        get: connection.query(`${from} = ?`),
        up: connection.query(`${from} >= ? AND key < ? ORDER BY key LIMIT ?`),
        down: connection.query(`${from} >= ? AND key < ? ORDER BY key DESC LIMIT ?`),
        count: connection.query(
          `SELECT count(*) FROM ${SQL_NAMES[table]} WHERE expires_at IS NOT NULL AND key NOT IN (SELECT value FROM json_each(?))`,
        ),
      };
    };
    this.#queries = Object.fromEntries(TABLES.map((table) => [table, queries(table)])) as Record<
      Table,
      Queries
    >;
  }

  get(table: Table, key: number | string): string | undefined {
    const row = this.#queries[table].get.first(key);
    return row === undefined ? undefined : this.#checked(table, row).value;
  }

  range<T extends Table>(table: T, from: Keys[T], to: Keys[T], limit: number, isReversed: boolean) {
    const { up, down } = this.#queries[table];
    return (isReversed ? down : up).all(from, to, limit).map((row) => this.#checked(table, row));
  }

  /** How many rows may expire, but for those with these keys. */
  count(table: Table, without: readonly (number | string)[]): number {
    return Number(this.#queries[table].count.first(JSON.stringify(without))?.[0] ?? 0);
  }

  /** The number of the last group that was committed. */
  committed(): number {
    const number = this.#connection.query("SELECT CAST(number AS INTEGER) FROM committed").first()?.[0];
    if (typeof number !== "number")
      throw thrown(damage(this.#folder, "the number of its last group is gone"));
    return number;
  }

  /** Looks at every page and every row. Throws a TagwireError (STORE_DAMAGED) at the first that is not as it was written. */
  verify(): void {
    const [said] = this.#connection.query("PRAGMA quick_check(1)").first() ?? [];
    if (said !== "ok") throw thrown(damage(this.#folder, String(said)));
    for (const table of TABLES) for (const _ of this.rows(table));
  }

  /** All rows of a table in the order of their keys, read as they are taken. */
  *rows<T extends Table>(table: T): Generator<ExpiringRow<Keys[T]>> {
    const rows = this.#connection.query(`SELECT ${columns(table)} FROM ${SQL_NAMES[table]} ORDER BY key`);
    for (const row of rows.iterate())
      yield { ...this.#checked(table, row), expiresAt: row[2] as number | null };
  }

  #checked<T extends Table>(table: T, row: readonly Read[]): Row<Keys[T]> {
    const [id, bytes, expiresAt, sum] = row as [number | Buffer, Buffer, number | null, number];
    const key = typeof id === "number" ? id : id.toString();
    if (checksum(table, key, bytes, expiresAt) === sum)
      return { key: key as Keys[T], value: bytes.toString() };
    throw thrown(damage(this.#folder, `the row ${key} of ${table} is not as it was written`));
  }
}
