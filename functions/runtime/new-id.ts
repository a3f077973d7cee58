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
    return uuid({ msecs: milliseconds, seq: counter, rng: randomBytes });
  };
}

const ID_BYTES = 16;
const pool = new Uint8Array(256 * ID_BYTES);
let used = pool.length;

/** To ask the system for the bytes of one id takes longer than the rest of it, so they are asked for in numbers. */
function randomBytes(): Uint8Array {
  if (used === pool.length) {
    crypto.getRandomValues(pool);
    used = 0;
  }
  used += ID_BYTES;
  return pool.subarray(used - ID_BYTES, used);
}

/** uuid's counter has 32 bits; it starts in the lower half, so that it has room to count. */
const COUNTER_MOST = 0xffff_ffff;
const COUNTER_START = 0x8000_0000;
