/** Enough for what a router repeats after a crash, at 80 messages a second for a minute. */
const REMEMBERED = 5_000;

/** What tells one message from another. */
interface Named {
  readonly id: string;
  readonly time: string;
  readonly topic?: string;
  readonly to?: string;
  readonly seq?: number;
}

/**
 * Remembers messages, and returns whether one was there before. A producer may use an id again after its dedupe window,
 * and two producers may use the same one, even at the same time: those have another target, or another number in their stream.
 */
export function seen(): (message: Named) => boolean {
  const keys = new Set<string>();
  return ({ id, time, topic, to, seq }) => {
    const name = `${topic ?? `@${to}`} ${id} ${time}`;
    const key = seq === undefined ? name : `${name} ${seq}`;
    // It may have come without its number before, while a deploy switched streams on.
    if (keys.has(key) || keys.has(name)) return true;
    keys.add(key);
    for (const oldest of keys) {
      if (keys.size > REMEMBERED) keys.delete(oldest);
      break;
    }
    return false;
  };
}
