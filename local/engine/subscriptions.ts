import type { IndexEntry, Page, Subscriptions } from "../../shared/ports.ts";
import type { Tag } from "../../shared/protocol/tag.ts";
import { after, sortKey } from "../../shared/receipts/hash-range.ts";
import { type SortedRows, sortedRows } from "./sorted-rows.ts";

/** A row of a list. Those that a connection added at once are one object. */
interface Row {
  readonly entry: IndexEntry;
  readonly expiresAt: number;
}

export interface EngineSubscriptions extends Subscriptions {
  page(tag: Tag, query: { from: string; to: string; limit: number; now: number }): Page;
  filterHolders(tag: Tag, rows: readonly IndexEntry[], now: number): ReadonlySet<string>;
  /** Deletes the rows that expired before `now`, in milliseconds since 1970. */
  expire(now: number): void;
  /** Returns all rows of all lists, expired ones too. */
  rows(): (IndexEntry & { readonly tag: Tag; readonly expiresAt: number })[];
}

/** Tag lists in memory: a connection does not outlive the process. */
export function engineSubscriptions(): EngineSubscriptions {
  const lists = new Map<Tag, SortedRows<Row>>();

  const listOf = (tag: Tag): SortedRows<Row> => {
    const known = lists.get(tag);
    if (known) return known;
    const list = sortedRows<Row>(({ entry }) => entry.key);
    lists.set(tag, list);
    return list;
  };
  const remove = (tag: Tag, list: SortedRows<Row>, key: string) => {
    list.delete(key);
    if (list.size() === 0) lists.delete(tag);
  };

  return {
    page(tag, { from, to, limit, now }) {
      const read = lists.get(tag)?.slice(from, to, limit) ?? [];
      const rows: IndexEntry[] = [];
      for (const { entry, expiresAt } of read) if (expiresAt > now) rows.push(entry);
      const last = read.length === limit ? read.at(-1) : undefined;
      return { rows, read: read.length, ...(last ? { next: after(last.entry.key) } : {}) };
    },
    filterHolders(tag, rows, now) {
      const held = new Set<string>();
      const list = lists.get(tag);
      for (const { key, connectedAt } of list ? rows : []) {
        const row = list?.get(key);
        if (row?.entry.connectedAt === connectedAt && row.expiresAt > now) held.add(key);
      }
      return held;
    },
    async add(tags, { connectionId, connectedAt }, expiresAt) {
      const row = { entry: { key: sortKey(connectionId), connectionId, connectedAt }, expiresAt };
      for (const tag of tags) listOf(tag).set(row);
    },
    async remove(tags, { connectionId, connectedAt }) {
      const key = sortKey(connectionId);
      for (const tag of tags) {
        const list = lists.get(tag);
        if (list?.get(key)?.entry.connectedAt === connectedAt) remove(tag, list, key);
      }
    },
    expire(now) {
      for (const [tag, list] of lists) {
        for (const { entry, expiresAt } of list.all()) if (expiresAt < now) remove(tag, list, entry.key);
      }
    },
    rows: () =>
      [...lists].flatMap(([tag, list]) =>
        list.all().map(({ entry, expiresAt }) => ({ ...entry, tag, expiresAt })),
      ),
  };
}
