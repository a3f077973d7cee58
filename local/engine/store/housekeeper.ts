import type { Connection, Query } from "./driver.ts";
import type { Rows } from "./rows.ts";
import { SQL_NAMES } from "./schema.ts";
import { TABLES } from "./types.ts";

/** Rows of a table that expire in one transaction. Writes wait for it. */
const ROWS_A_PART = 500;
/** Pages that are given back in one transaction. */
const PAGES_A_PART = 256;
/** Pages of the log that are moved to the main file at once: 4 MiB, as SQLite does by itself. */
const PAGES_LOGGED = 1_000;
const PAGE_BYTES = 4_096;

/** Keeps the files small. */
export class Housekeeper {
  readonly #connection: Connection;
  readonly #expire: readonly ((now: number) => number)[];
  readonly #pages: Query;
  readonly #freePages: Query;
  #logged = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#expire = TABLES.map((table) => {
      const name = SQL_NAMES[table];
      return connection.command(`DELETE FROM ${name} WHERE key IN
        (SELECT key FROM ${name} WHERE expires_at < ?1 ORDER BY expires_at LIMIT ${ROWS_A_PART})
        AND expires_at < ?1`);
    });
    this.#pages = connection.query("PRAGMA page_count");
    this.#freePages = connection.query("PRAGMA freelist_count");
  }

  /** Counts what a group has added to the log, about. */
  wrote(rows: Rows): void {
    this.#logged += 2;
    for (const value of rows)
      if (typeof value === "string") this.#logged += Math.ceil(value.length / PAGE_BYTES) / 2;
  }

  /** Moves the log to the main file if it is long. */
  tidy(): void {
    if (this.#logged >= PAGES_LOGGED) this.checkpoint("PASSIVE");
  }

  /** A fault is no loss, since all is in the log; it is tried again when the log has grown once more. */
  checkpoint(kind: "PASSIVE" | "TRUNCATE"): void {
    this.#logged = 0;
    try {
      this.#connection.query(`PRAGMA wal_checkpoint(${kind})`).first();
    } catch {}
  }

  /** Deletes a part of the rows that expired before `now`, and gives a part of the free pages back. Returns whether there is more. */
  expire(now: number): boolean {
    const counts = this.#expire.map((command) => command(now));
    this.#logged += counts.reduce((sum, count) => sum + count, 0);
    return this.#giveBack() || counts.some((count) => count === ROWS_A_PART);
  }

  /** A quarter of the file may be free: it will be used again. */
  #giveBack(): boolean {
    const [pages, free] = [this.#pages, this.#freePages].map((query) => Number(query.first()?.[0] ?? 0));
    if (pages === undefined || free === undefined || free < PAGES_A_PART || free < pages / 4) return false;
    this.#connection.exec(`PRAGMA incremental_vacuum(${PAGES_A_PART})`);
    this.#logged += 2 * PAGES_A_PART;
    return true;
  }
}
