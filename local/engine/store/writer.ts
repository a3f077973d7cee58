import { existsSync, statSync } from "node:fs";
import { type Connection, connect, type Value } from "./driver.ts";
import { createDatabase, filesOf, prepare } from "./folder.ts";
import { Housekeeper } from "./housekeeper.ts";
import { inspected } from "./inspected.ts";
import type { LastGroup } from "./last-group.ts";
import { lock } from "./lock.ts";
import { Reader } from "./reader.ts";
import { type Rows, unpack } from "./rows.ts";
import { checksum, SQL_NAMES } from "./schema.ts";
import { TABLES, type Table } from "./types.ts";

/** Files up to this size, in bytes, are looked at as a whole before they are used: half a second of work. */
const VERIFIED_AT_OPEN = 64 * 1024 * 1024;

interface Commands {
  readonly put: (...values: readonly Value[]) => number;
  readonly remove: (...values: readonly Value[]) => number;
}

/** The one connection that writes. All of it is synchronous: it lives in a thread of its own. */
export class Writer {
  readonly housekeeper: Housekeeper;
  readonly #connection: Connection;
  readonly #lock: Connection;
  readonly #lastGroup: LastGroup;
  readonly #commands: Readonly<Record<Table, Commands>>;
  readonly #setCommitted: (number: number) => number;
  #committed: number;

  constructor(folder: string, held: Connection, lastGroup: LastGroup, maxBytes = Infinity) {
    const connection = connectToWrite(filesOf(folder).database);
    if (maxBytes < Infinity) connection.exec(`PRAGMA max_page_count = ${Math.ceil(maxBytes / 4_096)}`);
    this.#connection = connection;
    this.#lock = held;
    this.#lastGroup = lastGroup;
    this.housekeeper = new Housekeeper(connection);
    const commands = (table: Table): Commands => ({
      put: connection.command(`INSERT OR REPLACE INTO ${SQL_NAMES[table]} VALUES (?, ?, ?, ?)`),
      remove: connection.command(`DELETE FROM ${SQL_NAMES[table]} WHERE key = ?`),
    });
    this.#commands = Object.fromEntries(TABLES.map((table) => [table, commands(table)])) as Record<
      Table,
      Commands
    >;
    this.#setCommitted = connection.command("UPDATE committed SET number = ?");
    this.#committed = new Reader(connection, folder).committed();
  }

  /** Commits the changes as one unit, and returns once they have reached the disk. Throws if they have not, and nothing changed. */
  commit(rows: Rows): void {
    this.#connection.exec("BEGIN IMMEDIATE");
    try {
      // On a full disk the rows that are put may need the room of those that go. No key comes twice.
      for (const [table, key, value] of unpack(rows)) if (value === null) this.#commands[table].remove(key);
      for (const [table, key, value, expiresAt] of unpack(rows)) {
        if (value !== null)
          this.#commands[table].put(key, value, expiresAt, checksum(table, key, value, expiresAt));
      }
      this.#setCommitted(this.#committed + 1);
      this.#connection.exec("COMMIT");
    } catch (fault) {
      rollBack(this.#connection);
      throw fault;
    }
    this.#committed++;
    // It may be behind: on a full disk that writes nothing in its place, as btrfs, there is no room for it.
    try {
      this.#lastGroup.write(this.#committed);
    } catch {}
    this.housekeeper.wrote(rows);
  }

  close(): void {
    this.housekeeper.checkpoint("TRUNCATE");
    this.#connection.close();
    this.#lastGroup.close();
    this.#lock.close();
  }
}

/** A commit of this connection returns once the log has reached the disk. The log is moved to the main file by the housekeeper. */
export function connectToWrite(database: string): Connection {
  const connection = connect(database);
  connection.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0");
  return connection;
}

/** SQLite has rolled back by itself after some faults. */
function rollBack(connection: Connection): void {
  try {
    connection.exec("ROLLBACK");
  } catch {}
}

/**
 * Opens the files of a folder to write them; `isVerified` says whether every row was looked at. Throws if the folder is
 * in use, foreign, newer, read-only or damaged: then its files are as they were.
 */
export function openWriter(folder: string, maxBytes?: number): { writer: Writer; isVerified: boolean } {
  const files = filesOf(folder);
  prepare(folder);
  const held = lock(folder, files.lock);
  let lastGroup: LastGroup | undefined;
  try {
    if (!existsSync(files.database)) createDatabase(folder);
    const isVerified = statSync(files.database).size <= VERIFIED_AT_OPEN;
    lastGroup = inspected(folder, isVerified);
    return { writer: new Writer(folder, held, lastGroup, maxBytes), isVerified };
  } catch (fault) {
    lastGroup?.close();
    held.close();
    throw fault;
  }
}
