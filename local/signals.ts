import { end } from "./end.ts";
import type { Log } from "./log.ts";
import type { Router } from "./options.ts";

export interface SignalsDeps {
  readonly router: Pick<Router, "stop">;
  readonly log: Log;
  /** Whether messages outlive the process. */
  readonly isKept: boolean;
  /** Reads the certificate again. Absent without TLS: then a SIGHUP stops, as when its terminal goes. */
  readonly renew?: () => void;
  /** Says why the process ends, and ends it. */
  readonly fail: (fault: unknown) => void;
}

/** The longest stop, in seconds: the lanes have ten, then the runs under way have a moment to end. */
const STOP_SECONDS = 25;

/** Signals this close together are one, in milliseconds. */
const SAME_SIGNAL = 300;

/** Stops the router on SIGINT and SIGTERM, at once if one comes again, and reads its certificate again on SIGHUP. */
export function onSignals({ router, log, isKept, renew, fail }: SignalsDeps): void {
  let asked: number | undefined;
  const stop = () => {
    if (asked !== undefined) {
      // One Ctrl-C can come twice: from the terminal, and from npm. A second request means not to wait.
      if (performance.now() - asked > SAME_SIGNAL) end(1);
      return;
    }
    const began = performance.now();
    asked = began;
    log.write("info", "stopping: no new requests, the lanes have a moment to empty");
    setTimeout(() => fail(`not stopped within ${STOP_SECONDS} s, ended as it is`), STOP_SECONDS * 1_000);
    router.stop().then(({ left }) => {
      const messages = left === 1 ? "1 message" : `${left} messages`;
      const rest = `${messages} left in the lanes ${isKept ? "for the next process" : "and lost"}`;
      log.write("info", left === 0 ? "stopped, nothing left in the lanes" : `stopped, ${rest}`);
      end(0, began + STOP_SECONDS * 1_000 - performance.now());
    }, fail);
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  process.on("SIGHUP", () => {
    if (renew === undefined) return stop();
    try {
      renew();
      log.write("info", "certificate read again");
    } catch (fault) {
      log.write("error", "certificate not read again, the former one stays", { fault: String(fault) });
    }
  });
  if (process.env.npm_lifecycle_event !== undefined) onOrphaned(stop);
}

/** npm passes SIGTERM on to its shell, which ends without passing it on: then this process gets a new parent. */
function onOrphaned(stop: () => void): void {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    stop();
  }, 200);
  watch.unref();
}
