import { v7 as uuid } from "uuid";
import type { Clock, Random } from "../../shared/ports.ts";

/**
 * Makes UUIDv7s that strictly increase, as text too, whatever the clock does (RFC 9562 §6.2, "Monotonic Random": a
 * counter within the millisecond, which starts at random).
 */
export function newIds(clock: Pick<Clock, "now">, random: Random): () => string {
  let milliseconds = Number.NEGATIVE_INFINITY;
  let counter = 0;
  return () => {
    const now = clock.now();
    if (now > milliseconds) {
      milliseconds = now;
      counter = Math.floor(random() * COUNTER_START);
    } else if (counter === COUNTER_MOST) {
      milliseconds++;
      counter = 0;
    } else {
      counter++;
    }
    return uuid({ msecs: milliseconds, seq: counter });
  };
}

/** uuid's counter has 32 bits; it starts in the lower half, so that it has room to count. */
const COUNTER_MOST = 0xffff_ffff;
const COUNTER_START = 0x8000_0000;
