import type { Connection, Query, Value } from "./driver.ts";
import { damage, thrown } from "./fault.ts";
import { checksum, SQL_NAMES } from "./schema.ts";
import { type Keys, type Row, TABLES, type Table } from "./types.ts";

const COLUMNS = "key, value, expires_at, checksum";

interface Queries {
  readonly get: Query;
  readonly up: Query;
  readonly down: Query;
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
      const from = `SELECT ${COLUMNS} FROM ${SQL_NAMES[table]} WHERE key`;
      return {
        get: connection.query(`${from} = ?`),
        up: connection.query(`${from} >= ? AND key < ? ORDER BY key LIMIT ?`),
        down: connection.query(`${from} >= ? AND key < ? ORDER BY key DESC LIMIT ?`),
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

  /** The number of the last group that was committed. */
  committed(): number {
    const number = this.#connection.query("SELECT number FROM committed").first()?.[0];
    if (typeof number !== "number")
      throw thrown(damage(this.#folder, "the number of its last group is gone"));
    return number;
  }

  /** Looks at every page and every row. Throws a TagwireError (STORE_DAMAGED) at the first that is not as it was written. */
  verify(): void {
    const [said] = this.#connection.query("PRAGMA quick_check(1)").first() ?? [];
    if (said !== "ok") throw thrown(damage(this.#folder, String(said)));
    for (const table of TABLES)
      for (const row of this.#connection.query(`SELECT ${COLUMNS} FROM ${SQL_NAMES[table]}`).iterate())
        this.#checked(table, row);
  }

  #checked<T extends Table>(table: T, row: readonly Value[]): Row<Keys[T]> {
    const [key, value, expiresAt, sum] = row as [Keys[T], string, number | null, number];
    if (checksum(table, key, value, expiresAt) === sum) return { key, value };
    throw thrown(damage(this.#folder, `the row ${key} of ${table} is not as it was written`));
  }
}
