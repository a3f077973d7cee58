import type { Change } from "./types.ts";

/** Returns the changes. Throws a RangeError if SQLite would not give the rows back as they are. */
export function checked(changes: readonly Change[]): readonly Change[] {
  for (const { table, key, value } of changes) {
    if (typeof key === "number" ? !Number.isSafeInteger(key) : UNKEPT.test(key))
      throw new RangeError(`${JSON.stringify(key)} cannot be a key of ${table}`);
    if (value?.includes("\0")) throw new RangeError(`the value at ${key} of ${table} has a U+0000`);
  }
  return changes;
}

/** Texts end at U+0000 for the driver, and no UTF-8 has a lone surrogate. */
const UNKEPT = /[\0\p{Surrogate}]/u;
