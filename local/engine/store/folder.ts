import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
} from "node:fs";
import { join } from "node:path";
import { connect } from "./driver.ts";
import { damage, thrown } from "./fault.ts";
import { APPLICATION_ID, create, VERSION } from "./schema.ts";

/** The files of a store. SQLite puts its log and its index of the log beside the first. */
export const filesOf = (folder: string) => ({
  database: join(folder, "store.db"),
  log: join(folder, "store.db-wal"),
  unfinished: join(folder, "new.db"),
  lastGroup: join(folder, "last-group"),
  lock: join(folder, "lock"),
});

/** Makes the folder if it is absent. Throws a TagwireError (STORE_FOREIGN) if it holds something else. */
export function prepare(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  const strangers = readdirSync(folder).filter((name) => !OURS.test(name));
  if (strangers.length > 0 && !existsSync(filesOf(folder).database))
    throw thrown({
      code: "STORE_FOREIGN",
      detail: `${folder} holds ${strangers[0]} and no data of Tagwire; name an empty folder`,
    });
}

/** Names of our files, hidden files, and what a file system puts on a new disk. */
const OURS = /^(store\.db|new\.db|lock)(-wal|-shm|-journal)?$|^(last-group|connected)$|^\.|^lost\+found$/;

/** Makes the tables in a file of another name first: the main file is there as a whole or not at all. */
export function createDatabase(folder: string): void {
  const { database, log, unfinished, lastGroup } = filesOf(folder);
  if (existsSync(log) || existsSync(lastGroup))
    throw thrown(damage(folder, `${database} is gone, while what belongs to it is there`));
  for (const end of ["", "-journal"]) rmSync(unfinished + end, { force: true });
  createPrivate(unfinished);
  const connection = connect(unfinished);
  create(connection);
  connection.close();
  sync(unfinished);
  renameSync(unfinished, database);
  // Windows keeps names by itself, and opens no folder.
  if (process.platform !== "win32") sync(folder);
}

/** Makes an empty file that only its owner reads, for SQLite to fill. It gives its log the same rights. */
export const createPrivate = (path: string): void => closeSync(openSync(path, "wx", 0o600));

/** Throws a TagwireError if the file is not ours, or is of a newer version. SQLite has not opened it yet. */
export function checkHeader(folder: string): void {
  const { database } = filesOf(folder);
  accessSync(database, constants.R_OK | constants.W_OK);
  const header = Buffer.alloc(100);
  const file = openSync(database, "r");
  const length = readSync(file, header, 0, header.length, 0);
  closeSync(file);
  const version = header.readUInt32BE(60);
  if (
    length < header.length ||
    !header.toString("latin1").startsWith(MAGIC) ||
    header.readUInt32BE(68) !== APPLICATION_ID
  )
    throw thrown({
      code: "STORE_FOREIGN",
      detail: `${database} is not a file of Tagwire, or its first bytes are damaged; name another folder, or restore a backup`,
    });
  if (version > VERSION)
    throw thrown({
      code: "STORE_NEWER",
      detail: `${database} has version ${version}, and this Tagwire reads up to ${VERSION}; install the newer Tagwire again`,
    });
}

const MAGIC = "SQLite format 3\0";

/** Waits until a file or the names in a folder are on the disk. */
export function sync(path: string): void {
  const file = openSync(path, "r");
  fsyncSync(file);
  closeSync(file);
}
