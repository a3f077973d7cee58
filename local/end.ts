import { endThreads } from "./engine/store/thread.ts";

/** How long threads may take to end, in milliseconds. */
const MOMENT = 5_000;

let isEnding = false;
let killing: { readonly at: number; readonly timer: NodeJS.Timeout } | undefined;

/**
 * Ends the process. Node waits for its threads then, for as long as the disk holds one up: after `patience` milliseconds
 * the process is killed instead. Returns false if it is ending already; that may be sooner now.
 */
export function end(code: number, patience = MOMENT): boolean {
  const at = performance.now() + patience;
  if (killing === undefined || at < killing.at) {
    clearTimeout(killing?.timer);
    killing = { at, timer: setTimeout(() => process.kill(process.pid, "SIGKILL"), patience) };
  }
  if (isEnding) return false;
  isEnding = true;
  void endThreads().finally(() => process.exit(code));
  return true;
}
