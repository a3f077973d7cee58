import type { IndexEntry, Subscriptions } from "../../shared/ports.ts";
import type { Tag } from "../../shared/protocol/tag.ts";
import { after, sortKey } from "../../shared/receipts/hash-range.ts";

interface Row extends IndexEntry {
  readonly expiresAt: number;
}

export interface MemorySubscriptions extends Subscriptions {
  /** All rows of all lists, expired ones too. */
  rows(): (Row & { readonly tag: Tag })[];
}

/** Tag lists in Maps, sorted when they are first read and kept so. */
export function memorySubscriptions(): MemorySubscriptions {
  const lists = new Map<string, Map<string, Row>>();
  const sorted = new Map<string, Row[]>();

  const listOf = (tag: string) => lists.get(tag) ?? new Map<string, Row>();
  const sortedRows = (tag: string): readonly Row[] => {
    const known = sorted.get(tag);
    if (known) return known;
    const rows = [...listOf(tag).values()].sort((a, b) => (a.key < b.key ? -1 : 1));
    sorted.set(tag, rows);
    return rows;
  };
  /** Puts a row in place of the one with its key, or takes that out. */
  const replace = (tag: string, key: string, ...row: Row[]) => {
    const rows = sorted.get(tag);
    if (!rows) return;
    const at = firstAtOrAfter(rows, key);
    rows.splice(at, rows[at]?.key === key ? 1 : 0, ...row);
  };

  return {
    async page(tag, { from, to, limit, now }) {
      const rows = sortedRows(tag);
      const start = firstAtOrAfter(rows, from);
      const read = rows.slice(start, start + limit);
      const inRange = read.filter((row) => row.key < to);
      const last = inRange.at(-1);
      const more = last !== undefined && inRange.length === limit;
      return {
        read: inRange.length,
        rows: inRange.filter((row) => row.expiresAt > now).map(posting),
        ...(more ? { next: after(last.key) } : {}),
      };
    },
    async filterHolders(tag, rows, now) {
      const list = listOf(tag);
      const held = rows.filter(({ key, connectedAt }) => {
        const row = list.get(key);
        return row !== undefined && row.connectedAt === connectedAt && row.expiresAt > now;
      });
      return new Set(held.map(({ key }) => key));
    },
    async add(tags, { connectionId, connectedAt }, expiresAt) {
      const key = sortKey(connectionId);
      for (const tag of tags) {
        const row = { key, connectionId, connectedAt, expiresAt };
        lists.set(tag, listOf(tag).set(key, row));
        replace(tag, key, row);
      }
    },
    async remove(tags, { connectionId, connectedAt }) {
      const key = sortKey(connectionId);
      for (const tag of tags) {
        const list = listOf(tag);
        if (list.get(key)?.connectedAt !== connectedAt) continue;
        list.delete(key);
        replace(tag, key);
      }
    },
    rows: () =>
      [...lists].flatMap(([tag, list]) => [...list.values()].map((row) => ({ ...row, tag: tag as Tag }))),
  };
}

const posting = ({ key, connectionId, connectedAt }: Row): IndexEntry => ({ key, connectionId, connectedAt });

function firstAtOrAfter(rows: readonly Row[], key: string): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows[middle]?.key ?? "") < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
