import { crc32 } from "node:zlib";
import type { Connection } from "./driver.ts";
import { TABLES, type Table } from "./types.ts";

/** "Tagw", where SQLite keeps whose file it is. */
export const APPLICATION_ID = 0x54616777;

/** The version of the tables. A file of a newer one is left alone. */
export const VERSION = 1;

/** How tables are called in SQL. */
export const SQL_NAMES: Readonly<Record<Table, string>> = {
  entries: "entries",
  "dead-letters": "dead_letters",
  receipts: "receipts",
  streams: "streams",
};

const isInteger = (table: Table): boolean => table === "entries" || table === "dead-letters";

/** Makes the tables of a new file. */
export function create(connection: Connection): void {
  connection.exec(`PRAGMA auto_vacuum = INCREMENTAL; PRAGMA synchronous = FULL;
    PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${VERSION}`);
  for (const table of TABLES) {
    const name = SQL_NAMES[table];
    const key = isInteger(table) ? "key INTEGER PRIMARY KEY" : "key TEXT PRIMARY KEY";
    // Texts lie in the order of their keys, so that a row is one page of the log and a range is a few.
    const layout = isInteger(table) ? "STRICT" : "STRICT, WITHOUT ROWID";
    connection.exec(`CREATE TABLE ${name}
      (${key}, value TEXT NOT NULL, expires_at INTEGER, checksum INTEGER NOT NULL) ${layout};
      CREATE INDEX ${name}_expires_at ON ${name} (expires_at) WHERE expires_at IS NOT NULL`);
  }
  connection.exec(`CREATE TABLE committed (id INTEGER PRIMARY KEY CHECK (id = 0), number INTEGER NOT NULL) STRICT;
    INSERT INTO committed VALUES (0, 0)`);
}

/** A checksum over all columns: SQLite has none for what is in the main file. */
export const checksum = (
  table: Table,
  key: number | string,
  value: string | Uint8Array,
  expiresAt: number | null,
): number => {
  const before = crc32(`${table}/${key}/${expiresAt}/`);
  // The driver's empty bytes have no address, and zlib takes those for the beginning.
  return value.length === 0 ? before : crc32(value, before);
};

/**
 * The columns of a row as they are read. Whatever a damaged page says, they have these types: the driver ends the
 * process over a text that is no UTF-8.
 */
export const columns = (table: Table): string =>
  `CAST(key AS ${isInteger(table) ? "INTEGER" : "BLOB"}), CAST(value AS BLOB), CAST(expires_at AS INTEGER), CAST(checksum AS INTEGER)`;
