import { endThreads } from "./engine/store/thread.ts";

/** How long threads may take to end, in milliseconds. */
const MOMENT = 1_000;

let isEnding = false;

/**
 * Ends the process. Node waits for its threads then, for as long as the disk holds one up: after a moment the process is
 * killed instead. Returns false if it is ending already.
 */
export function end(code: number): boolean {
  if (isEnding) return false;
  isEnding = true;
  setTimeout(() => process.kill(process.pid, "SIGKILL"), MOMENT);
  void endThreads().finally(() => process.exit(code));
  return true;
}
