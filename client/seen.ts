/** Enough for what a router repeats after a crash, at 80 messages a second for a minute. */
const REMEMBERED = 5_000;

/**
 * Remembers messages, and returns whether one was there before. A producer may use an id again after its dedupe window,
 * and two producers may use the same one: those are messages of another time.
 */
export function seen(): (message: { readonly id: string; readonly time: string }) => boolean {
  const keys = new Set<string>();
  return ({ id, time }) => {
    const key = `${id} ${time}`;
    if (keys.has(key)) return true;
    keys.add(key);
    for (const oldest of keys) {
      if (keys.size > REMEMBERED) keys.delete(oldest);
      break;
    }
    return false;
  };
}
