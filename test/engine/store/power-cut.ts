import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "../../../local/engine/store/driver.ts";
import { openStore } from "../../../local/engine/store/store.ts";
import { temporary } from "./temporary.ts";

/** What a disk writes as a whole. */
const SECTOR = 512;
const PAGE = 4_096;
const FRAME = 24 + PAGE;
const LOG_HEADER = 32;

interface Frame {
  readonly page: number;
  /** Where it ends in the log. */
  readonly end: number;
  /** The number of the store's group, if the frame has it. */
  readonly group: number | undefined;
  readonly isCommit: boolean;
}

/**
 * Makes of a copy of a store's files, taken while its process stood still, what the disk may hold after the power failed
 * at that moment: what followed the last completed sync is there, gone or torn, sector by sector, and so are pages that
 * a checkpoint was to move. `committed` is the page that has the number of the last group. Returns how many bytes of the log were at risk. Formats: https://sqlite.org/walformat.html and https://sqlite.org/fileformat2.html
 */
export function cutPower(folder: string, committed: number, random: () => number): number {
  const synced = Number(readFileSync(`${folder}/last-group`, "latin1").slice(0, 16));
  const log = readFileSync(`${folder}/store.db-wal`);
  const index = readFileSync(`${folder}/store.db-shm`);
  const frames = framesOf(log, committed, index.readUInt32LE(16));
  const last = lastOf(frames, synced);
  const safe = frames[last]?.end ?? 0;
  tear(log, safe, random);
  const cut = safe + Math.floor(random() * (log.length - safe + 1));
  writeFileSync(`${folder}/store.db-wal`, random() < 0.5 ? log : log.subarray(0, cut));

  const database = readFileSync(`${folder}/store.db`);
  const moved = index.readUInt32LE(96);
  for (const { page } of frames.slice(moved, last + 1)) {
    const start = (page - 1) * PAGE;
    // The first sector of the file, with its version, is written as a whole.
    if (page > 1 && start + PAGE <= database.length) tear(database.subarray(start, start + PAGE), 0, random);
  }
  writeFileSync(`${folder}/store.db`, database);
  return log.length - safe;
}

/** The page with the number of the last group, which is the same one in each new store. */
export async function committedPage(): Promise<number> {
  const folder = temporary();
  await (await openStore({ folder })).close();
  const connection = connect(join(folder, "store.db"), { readOnly: true });
  const [page] =
    connection.query("SELECT rootpage FROM sqlite_schema WHERE name = 'committed'").first() ?? [];
  connection.close();
  return Number(page);
}

/**
 * The frames of the log's present round: those of earlier ones have other salts. Only the first `complete` are sure to be
 * written: of a later one there may be the head alone, over the page of an earlier round.
 */
function framesOf(log: Buffer, committed: number, complete: number): Frame[] {
  const salt = log.subarray(16, 24);
  const frames: Frame[] = [];
  for (let at = LOG_HEADER; at + FRAME <= log.length; at += FRAME) {
    if (!log.subarray(at + 8, at + 16).equals(salt)) break;
    const page = log.readUInt32BE(at);
    const hasGroup = page === committed && frames.length < complete;
    const group = hasGroup ? onlyNumber(log.subarray(at + 24, at + FRAME)) : undefined;
    frames.push({ page, end: at + FRAME, group, isCommit: log.readUInt32BE(at + 4) > 0 });
  }
  return frames;
}

/** The index of the frame that commits the group, or an earlier one that the log still has; -1 for none. */
function lastOf(frames: readonly Frame[], synced: number): number {
  const first = frames.findLastIndex(({ group = Infinity }) => group <= synced);
  return first === -1 ? -1 : frames.findIndex(({ isCommit }, at) => at >= first && isCommit);
}

/** Reads the number of the one row of a page: its cell has a length, a rowid, a header of three bytes, and the number. */
function onlyNumber(page: Buffer): number {
  const cell = page.readUInt16BE(8);
  const kind = page[cell + 4] ?? 0;
  if (kind >= 8) return kind - 8;
  return page.readUIntBE(cell + 5, [0, 1, 2, 3, 4, 6][kind] ?? 0);
}

/** Replaces some of the sectors that do not lie before `from`. */
function tear(bytes: Buffer, from: number, random: () => number): void {
  for (let at = from; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + SECTOR - (at % SECTOR));
    if (random() < 0.3) bytes.fill(Math.floor(random() * 256), at, end);
    at = end;
  }
}
