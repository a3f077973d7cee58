import { closeSync, constants, fsync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";

/** The file that says who is connected, for the process after this one. */
export interface PresenceFile {
  /** What the process before wrote last. Empty if the file is new. */
  readonly before: string;
  /** A text of at most 63 characters. It outlives the process at once, and a power cut a second later. */
  write(text: string): void;
  close(): void;
}

const LENGTH = 64;
/** Between a write and its way to the disk, in milliseconds: many clients may come at once. */
const LATER = 1_000;

export function openPresenceFile(folder: string): PresenceFile {
  const path = join(folder, "connected");
  const file = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  const before = readFileSync(path, "latin1").trim();
  let timer: NodeJS.Timeout | undefined;
  let isSyncing = false;
  let isClosed = false;
  const sync = () => {
    timer = undefined;
    isSyncing = true;
    fsync(file, () => {
      isSyncing = false;
      if (isClosed) closeSync(file);
    });
  };
  const put = (text: string) => {
    // A part of a sector, in its place: it is written as a whole, and needs no room on most disks. Where it does, and
    // there is none, the next process waits for those who were there before.
    try {
      writeSync(file, `${text.padEnd(LENGTH - 1)}\n`, 0, "latin1");
    } catch {}
  };
  if (before === "") {
    put("");
    fsyncSync(file);
  }
  return {
    before,
    write(text) {
      put(text);
      timer ??= setTimeout(sync, LATER).unref();
    },
    close() {
      clearTimeout(timer);
      isClosed = true;
      if (!isSyncing) closeSync(file);
    },
  };
}
