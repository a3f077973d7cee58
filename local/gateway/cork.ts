import type { Duplex } from "node:stream";

const corked = new Set<Duplex>();

/** Holds what is written to a socket until the turn of the event loop is over, so that all of it leaves in one call. */
export function corkForTurn(tcp: Duplex): void {
  if (corked.has(tcp)) return;
  tcp.cork();
  if (corked.size === 0) setImmediate(uncorkAll);
  corked.add(tcp);
}

function uncorkAll(): void {
  for (const tcp of corked) tcp.uncork();
  corked.clear();
}
