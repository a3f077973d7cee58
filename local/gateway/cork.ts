import type { Duplex } from "node:stream";

const corked = new Set<Duplex>();

/**
 * Holds what is written to a socket until the turn of the event loop is over, so that all of it leaves in one call.
 * Returns whether it is the first of the turn.
 */
export function corkForTurn(tcp: Duplex): boolean {
  if (corked.has(tcp)) return false;
  tcp.cork();
  if (corked.size === 0) setImmediate(uncork);
  corked.add(tcp);
  return true;
}

/** Lets all that is held leave now. */
export function uncork(): void {
  for (const tcp of corked) tcp.uncork();
  corked.clear();
}
