import { createInterface } from "node:readline";
import { setImmediate } from "node:timers/promises";

/** One line of input, numbered from 1. Blank lines are left out. */
export interface Line {
  readonly number: number;
  readonly text: string;
}

export async function* linesOf(input: NodeJS.ReadableStream): AsyncGenerator<Line> {
  let number = 0;
  for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    number += 1;
    // A file that was written on Windows may begin with a byte order mark.
    const line = number === 1 ? text.replace(/^\u{feff}/u, "") : text;
    if (line.trim() !== "") yield { number, text: line };
  }
}

export interface BatchLimits {
  readonly items: number;
  readonly bytes: number;
}

/**
 * Gathers what is there already, within the limits, and never waits for more: a slow stream goes out line by
 * line, a fast one in full batches. Reads on only when the batch before was taken. An item that is too large
 * goes alone.
 */
export async function* batched<T extends { readonly text: string }>(
  source: AsyncIterable<T>,
  { items, bytes }: BatchLimits,
): AsyncGenerator<readonly T[]> {
  const iterator = source[Symbol.asyncIterator]();
  const ask = () => {
    const asked = iterator.next();
    // Its failure is met when it is awaited; until then it must not count as unhandled.
    asked.catch(() => undefined);
    return asked;
  };
  try {
    let next = ask();
    for (let result = await next; !result.done; ) {
      const batch = [result.value];
      let size = Buffer.byteLength(result.value.text);
      next = ask();
      for (;;) {
        const ready = await Promise.race([next, setImmediate()]);
        if (!ready || ready.done) break;
        size += Buffer.byteLength(ready.value.text);
        if (batch.length === items || size > bytes) break;
        batch.push(ready.value);
        next = ask();
      }
      yield batch;
      result = await next;
    }
  } finally {
    // Not awaited: it would stand in line behind a read that may never end.
    iterator.return?.()?.catch(() => undefined);
  }
}
