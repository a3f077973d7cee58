import { BATCH_MESSAGES, BODY_BYTES } from "../shared/protocol/limits.ts";

/** The brackets of an array, in bytes. Each message but the first adds a comma. */
const BRACKETS = 2;

/**
 * Splits messages, by their bytes as JSON, into ranges that one request can carry: at most 100 messages and 1 MiB with
 * brackets and commas. In order and without gaps; each range is as long as it can be. A message that fits no request
 * has a range of its own.
 */
export function split(bytes: readonly number[]): readonly { readonly from: number; readonly to: number }[] {
  const ranges: { from: number; to: number }[] = [];
  let size = 0;
  for (const [at, length] of bytes.entries()) {
    const last = ranges.at(-1);
    const grown = size + length + 1;
    if (last && last.to - last.from < BATCH_MESSAGES && grown <= BODY_BYTES) {
      last.to = at + 1;
      size = grown;
    } else {
      ranges.push({ from: at, to: at + 1 });
      size = BRACKETS + length;
    }
  }
  return ranges;
}

/** Whether a message of so many bytes fits a request that carries nothing else, as an array. */
export const fits = (bytes: number): boolean => BRACKETS + bytes <= BODY_BYTES;
