import { closeSync, fdatasyncSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { percentile } from "./percentile.ts";

export interface CommitResult {
  /** Milliseconds of an append and its fdatasync. */
  readonly p50: number;
  readonly p99: number;
  readonly commits: number;
}

/** A page of SQLite's log with its header. */
const BYTES = 4_096 + 24;

/** The bare group commit: appends to a file in `data` and syncs it, `commits` times at a fixed rate, with nothing else under way. */
export async function bareCommit(
  data: string,
  { commits, perSecond }: { readonly commits: number; readonly perSecond: number },
): Promise<CommitResult> {
  mkdirSync(data, { recursive: true });
  const file = join(data, `commit-${process.pid}`);
  const descriptor = openSync(file, "a");
  const bytes = Buffer.alloc(BYTES, "x");
  const times: number[] = [];
  const began = performance.now();
  try {
    while (times.length < commits) {
      const start = performance.now();
      writeSync(descriptor, bytes);
      fdatasyncSync(descriptor);
      times.push(performance.now() - start);
      await pause(Math.max(0, (times.length / perSecond) * 1000 - (performance.now() - began)));
    }
  } finally {
    closeSync(descriptor);
    rmSync(file);
  }
  return { p50: percentile(times, 50), p99: percentile(times, 99), commits };
}
