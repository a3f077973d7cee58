import { visibilitySeconds } from "../../shared/settings/derived.ts";
import type { History } from "./history.ts";
import type { JobRun, MessageRecord } from "./message-record.ts";

/** Milliseconds by which a message may come back before its full visibility timeout and count as late: clocks differ. */
const MARGIN = 10_000;

/**
 * How many deaths a part may have: of runs that died, or that could neither write nor change the visibility. One that
 * has changed it cannot be told from a dead one if its lane was so slow that the message came as late as after a death.
 */
export function deathsAtMost(
  { now, settings }: Pick<History, "now" | "settings">,
  { jobRuns }: MessageRecord,
  part: string,
  before?: JobRun,
): number {
  const own = jobRuns.filter((one) => one.part === part);
  const earlier = own.slice(0, before ? own.indexOf(before) : own.length);
  // A split sets the count back too, and its run may die before its jobs are queued.
  const settled = earlier.findLastIndex(({ state }) => state === "settled") + 1;
  const split = earlier.findLastIndex(({ outcome }) => outcome?.kind === "split");
  const late =
    1000 * (visibilitySeconds(settings) - settings.advanced.functions.consume.timeoutSeconds) - MARGIN;
  return earlier.slice(Math.max(settled, split)).filter((jobRun, index, all) => {
    const next = all[index + 1]?.since ?? before?.since ?? now();
    return jobRun.actor.death !== undefined || !jobRun.hidden || next - jobRun.since >= late;
  }).length;
}
