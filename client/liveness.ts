import type { Runtime } from "./runtime.ts";

/** How often it looks, in milliseconds. */
const TICK = 30_000;
/** A look that comes this late says that the machine slept. */
const LATE = 5_000;
/** The gateway cuts a connection after 10 min of silence (docs/protocol.md). Pings are billed: not much earlier. */
const SILENCE = 540_000;

export interface Watched {
  /** When a frame came last, in milliseconds since 1970. */
  heardAt(): number;
  probe(): void;
}

/** Watches over a socket until the function that it returns is called. */
export function watch(runtime: Runtime, socket: Watched): () => void {
  let stop = () => {};
  const look = () => {
    const due = runtime.now() + TICK;
    stop = runtime.after(TICK, () => {
      const now = runtime.now();
      // Timers of a hidden page are late by themselves; it is probed when it is seen again.
      const hasSlept = now - due > LATE && !runtime.isHidden();
      look();
      if (hasSlept || now - socket.heardAt() > SILENCE - TICK) socket.probe();
    });
  };
  look();
  return () => stop();
}
