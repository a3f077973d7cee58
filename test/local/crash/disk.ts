import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll } from "vitest";
import { committedPage, cutPower } from "../../engine/store/power-cut.ts";
import { temporary } from "../../engine/store/temporary.ts";

/**
 * A small file system that the test may fill, such as that of `mount -t tmpfs -o size=32m tmpfs /mnt/small`. Without
 * one the store is told to take no more pages than it has.
 */
const { DISK } = process.env;

/** The disk under a router that is killed. */
export interface CrashDisk {
  readonly folder: string;
  /** Environment of a process whose disk is full from its start. */
  readonly full: Readonly<Record<string, string>>;
  /** Takes all room that is left. */
  fill(): void;
  /** Gives the room back. Returns whether it had been taken. */
  free(): boolean;
  /** Makes of the files of a process that was killed what they may be after the power failed at that moment. */
  cutPower(): Promise<void>;
}

const made: string[] = [];
afterAll(() => {
  for (const path of made) rmSync(path, { recursive: true, force: true });
});

export function crashDisk(random: () => number): CrashDisk {
  const folder = DISK === undefined ? temporary() : mkdtempSync(join(DISK, "crash-"));
  const filler = DISK === undefined ? undefined : join(DISK, "filler");
  const free = () => {
    if (filler !== undefined) rmSync(filler, { force: true });
    return filler !== undefined;
  };
  if (filler !== undefined) made.push(folder, filler);
  return {
    folder,
    full: filler === undefined ? { MAX_DATA_BYTES: "4096" } : {},
    fill: () => filler && takeAllRoom(filler),
    free,
    async cutPower() {
      const files = ["store.db", "store.db-wal", "store.db-shm", "last-group"];
      // One that died while it started may have no log yet.
      if (!files.every((name) => existsSync(join(folder, name)))) return;
      if (readFileSync(join(folder, "store.db-wal")).length === 0) return;
      cutPower(folder, await committedPage(), random);
      // It is never synced at once.
      if (random() < 0.3)
        writeFileSync(join(folder, "connected"), Buffer.alloc(64, Math.floor(random() * 256)));
    },
  };
}

function takeAllRoom(path: string): void {
  const file = openSync(path, "w");
  for (let bytes = 1_048_576; bytes >= 1; ) {
    try {
      writeSync(file, Buffer.alloc(bytes));
    } catch {
      bytes = Math.floor(bytes / 16);
    }
  }
  closeSync(file);
}
