import type { IndexEntry, Page, Subscriptions } from "../../shared/ports.ts";
import type { ConnectionId, Tag } from "../../shared/protocol/tag.ts";
import { hashOf } from "../../shared/receipts/hash-range.ts";

const HASHES = 2 ** 32;

/** Returns the place of the first row at or after a sort key, in a list of `size` rows. */
function placeOf(key: string, size: number): number {
  if (key >= "g") return size;
  const at = Math.ceil((Number.parseInt(hashOf(key), 16) * size) / HASHES);
  return rowAt(at, size, "").key < key ? at + 1 : at;
}

/** Row `i` of a list whose hashes are spread evenly. */
function rowAt(i: number, size: number, tag: string): IndexEntry {
  const hash = Math.floor((i * HASHES) / size)
    .toString(16)
    .padStart(8, "0");
  const connectionId = `${tag}-${i}` as ConnectionId;
  return { key: `${hash}#${i}`, connectionId, connectedAt: 0 };
}

/** Lists too long to be held: each tag has as many rows as `sizes` says. */
export const longLists = (sizes: Readonly<Record<string, number>>): Pick<Subscriptions, "page"> => ({
  page(tag: Tag, { from, to, limit }): Page {
    const size = sizes[tag] ?? 0;
    const [first, end] = [placeOf(from, size), placeOf(to, size)];
    const last = Math.min(end, first + limit);
    const rows = Array.from({ length: Math.max(0, last - first) }, (_, i) => rowAt(first + i, size, tag));
    const next = last < end ? { next: rowAt(last, size, tag).key } : {};
    return { rows, read: rows.length, ...next };
  },
});
