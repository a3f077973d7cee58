import { existsSync } from "node:fs";
import { connect } from "./driver.ts";
import { faultOf, thrown } from "./fault.ts";
import { filesOf } from "./folder.ts";
import { inspected } from "./inspected.ts";
import { lock } from "./lock.ts";
import { type ExpiringRow, Reader } from "./reader.ts";
import type { Keys, Row, Table } from "./types.ts";

/** The rows of a folder that no process uses. None of them changes until it is closed. */
export interface StoppedStore {
  /** The number of the last group that was committed: while it is the same, so are the rows. */
  readonly committed: number;
  /** All rows of a table in the order of their keys, read as they are taken. */
  rows<T extends Table>(table: T): Iterable<ExpiringRow<Keys[T]>>;
  /** The last row with `from` <= key < `to`. */
  last<T extends Table>(table: T, from: Keys[T], to: Keys[T]): Row<Keys[T]> | undefined;
  close(): void;
}

/**
 * Opens the data of a router that is stopped, and keeps others from it. Looks at every row first. Throws a TagwireError
 * (STORE_IN_USE, STORE_FOREIGN, STORE_NEWER, STORE_READ_ONLY, STORE_DAMAGED) if the folder cannot be used.
 */
export function openStopped(folder: string): StoppedStore {
  const files = filesOf(folder);
  if (!existsSync(files.database))
    throw thrown({
      code: "STORE_FOREIGN",
      detail: `${folder} holds no data of Tagwire; name the folder of a router`,
    });
  const named = <T>(act: () => T): T => {
    try {
      return act();
    } catch (fault) {
      throw thrown(faultOf(fault, folder));
    }
  };
  const held = named(() => lock(folder, files.lock));
  try {
    return named(() => {
      inspected(folder, true).close();
      const connection = connect(files.database, { readOnly: true });
      const reader = new Reader(connection, folder);
      return {
        committed: reader.committed(),
        rows: (table) => reader.rows(table),
        last: (table, from, to) => reader.range(table, from, to, 1, true)[0],
        close() {
          connection.close();
          held.close();
        },
      };
    });
  } catch (fault) {
    held.close();
    throw fault;
  }
}
