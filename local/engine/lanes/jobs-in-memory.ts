import type { Job } from "../../../shared/receipts/job.ts";
import type { LaneEntry } from "./entry.ts";

/** Jobs as they were accepted, so that no run has to read them from the disk and check them again. */
export interface JobsInMemory {
  /** Keeps the job of an entry if there is room for it. */
  keep(entry: LaneEntry, job: Job | undefined): void;
  /** Takes the job of an entry out. Undefined if it was not kept. */
  take(entry: LaneEntry): Job | undefined;
}

/** At most as many jobs as have `limitBytes` in all. */
export function jobsInMemory(limitBytes: number): JobsInMemory {
  let bytes = 0;
  return {
    keep(entry, job) {
      if (job === undefined || bytes + entry.bytes > limitBytes) return;
      bytes += entry.bytes;
      entry.job = job;
    },
    take(entry) {
      const { job } = entry;
      if (job === undefined) return undefined;
      bytes -= entry.bytes;
      entry.job = undefined;
      return job;
    },
  };
}
