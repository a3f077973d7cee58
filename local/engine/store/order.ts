/** A key of a row: an integer, or a text without U+0000 and lone surrogates, which SQLite would not give back. */
export type Key = number | string;

/** Compares keys as SQLite does: integers by size, texts by their bytes in UTF-8. */
export function compare(a: Key, b: Key): number {
  if (a === b) return 0;
  if (typeof a === "number" || typeof b === "number") return a < b ? -1 : 1;
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const difference = rank(a.charCodeAt(at)) - rank(b.charCodeAt(at));
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Surrogates stand for code points above U+FFFF, which follow all others in UTF-8. */
const rank = (unit: number): number => (unit >= 0xd800 && unit < 0xe000 ? unit + 0x2800 : unit);
