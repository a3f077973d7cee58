import { compare } from "./order.ts";
import type { Change, Keys, Row, Table } from "./types.ts";

/** Returns rows as the changes leave them. Both are in the same order, and no key is twice in one of them. */
export function merge<T extends Table>(
  rows: readonly Row<Keys[T]>[],
  changes: readonly Change[],
  isReversed: boolean,
): readonly Row<Keys[T]>[] {
  if (changes.length === 0) return rows;
  const merged: Row<Keys[T]>[] = [];
  let at = 0;
  for (const { key, value } of changes) {
    for (let row = rows[at]; row !== undefined; row = rows[++at]) {
      const order = compare(row.key, key) * (isReversed ? -1 : 1);
      if (order > 0) break;
      if (order < 0) merged.push(row);
    }
    if (value !== undefined) merged.push({ key: key as Keys[T], value });
  }
  return [...merged, ...rows.slice(at)];
}
