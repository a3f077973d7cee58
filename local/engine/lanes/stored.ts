import type { Store } from "../store/store.ts";
import { type EntryHead, headOf } from "./entry-row.ts";

/** Rows that are read at once. */
const PAGE = 1_000;

/** Calls back with each entry of the store, in order of arrival. */
export function eachStoredEntry(
  store: Store,
  callback: (entry: EntryHead & { readonly key: number; readonly bytes: number }) => void,
): void {
  for (let from = Number.MIN_SAFE_INTEGER; ; ) {
    const rows = store.range("entries", { from, to: Number.MAX_SAFE_INTEGER, limit: PAGE });
    for (const { key, value } of rows) callback({ ...headOf(value), key, bytes: value.length });
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return;
    from = last.key + 1;
  }
}
