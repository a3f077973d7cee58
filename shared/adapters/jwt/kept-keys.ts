import type { Clock } from "../../ports.ts";

/** Keys that are read from elsewhere and kept. */
export interface KeptKeys<K> {
  /** The keys as last read. MUST return known keys while they cannot be read again. Throws if they were never read. */
  current(): Promise<K>;
  /**
   * The keys for a token that none of `current` verified: read again, at most once per cool-down. Throws if the last
   * reading failed, since the token may be signed with a key that is not known yet.
   */
  renewed(): Promise<K>;
}

/** Milliseconds. Known keys are read again after `maxAge`; nothing makes two readings within `coolDown`. */
export const KEY_TIMES = { maxAge: 600_000, coolDown: 30_000, firstCoolDown: 1_000 };

/** Keeps what `read` returns. One reading at a time, whatever the number of tokens that wait for it. */
export function keptKeys<K>(read: () => Promise<K>, clock: Pick<Clock, "now">): KeptKeys<K> {
  let known: { readonly keys: K; readonly readAt: number } | undefined;
  let triedAt = Number.NEGATIVE_INFINITY;
  let failure: { readonly fault: unknown } | undefined;
  let reading: Promise<void> | undefined;

  // A clock that was set back makes a reading due rather than put it off.
  const isPast = (moment: number, duration: number) => {
    const age = clock.now() - moment;
    return age < 0 || age >= duration;
  };
  const readOnce = async () => {
    triedAt = clock.now();
    try {
      known = { keys: await read(), readAt: clock.now() };
      failure = undefined;
    } catch (fault) {
      failure = { fault };
    } finally {
      reading = undefined;
    }
  };
  const readDue = async (coolDown: number) => {
    if (reading === undefined && isPast(triedAt, coolDown)) reading = readOnce();
    await reading;
  };
  const keysOrThrow = (): K => {
    if (known === undefined) throw failure?.fault;
    return known.keys;
  };

  return {
    async current() {
      if (known === undefined) await readDue(KEY_TIMES.firstCoolDown);
      else if (isPast(known.readAt, KEY_TIMES.maxAge)) await readDue(KEY_TIMES.coolDown);
      return keysOrThrow();
    },
    async renewed() {
      await readDue(KEY_TIMES.coolDown);
      if (failure) throw failure.fault;
      return keysOrThrow();
    },
  };
}
