import { existsSync, renameSync, rmSync } from "node:fs";
import { connect } from "./driver.ts";
import { createPrivate, filesOf, sync } from "./folder.ts";
import { Reader } from "./reader.ts";

/** Writes what is committed to a new file, checks every row of it, and gives it its name once it is on the disk. */
export function backUp(folder: string, path: string): void {
  if (existsSync(path)) throw new Error(`${path} is there already; name a new file`);
  const unfinished = `${path}.unfinished`;
  rmSync(unfinished, { force: true });
  createPrivate(unfinished);
  const connection = connect(filesOf(folder).database, { readOnly: true });
  try {
    connection.command("VACUUM INTO ?")(unfinished);
  } finally {
    connection.close();
  }
  const copy = connect(unfinished, { readOnly: true });
  try {
    new Reader(copy, unfinished).verify();
  } finally {
    copy.close();
  }
  sync(unfinished);
  renameSync(unfinished, path);
}
