import { partitionKeyOf } from "../../connections/list-parts.ts";
import type { IndexEntry, Page } from "../../ports.ts";
import type { Tag } from "../../protocol/tag.ts";
import { after, partOf, startOf, wayTo } from "../../receipts/hash-range.ts";

/** A range of sort keys, the second exclusive, and how many rows to read of it at most. */
export interface PageQuery {
  readonly from: string;
  readonly to: string;
  readonly limit: number;
}

/** Reads a page of what lies under one partition key. */
export type ReadKey = (partitionKey: string, query: PageQuery) => Promise<Page>;

/** Partition keys that are read at once. */
const AT_ONCE = 32;

/**
 * A page of a tag's list, whose rows lie on each number of `counts` of partition keys. The page is what it would be on
 * one partition key, but that it may end early.
 */
export async function pageOfList(
  read: ReadKey,
  tag: Tag,
  counts: readonly number[],
  query: PageQuery,
): Promise<Page> {
  const pages = await Promise.all(counts.map((parts) => pageOfParts(read, tag, parts, query)));
  const [first] = pages;
  return first && pages.length === 1 ? first : merged(pages, query);
}

/**
 * Goes through the parts in the order of their hashes. The first is read alone: a large list fills the page with it. The
 * rest of a small one is then read at once, so that it costs a read for each part and the time of two.
 */
async function pageOfParts(read: ReadKey, tag: Tag, parts: number, query: PageQuery): Promise<Page> {
  const { from, to, limit } = query;
  const [first, end] = [partOf(from, parts), endPart(to, parts)];
  const rows: IndexEntry[] = [];
  let count = 0;
  for (let part = first; ; ) {
    const room = limit - count;
    const perPart = Math.max(1, count / Math.max(1, part - first));
    const atOnce =
      part === first ? 1 : Math.max(1, Math.min(AT_ONCE, end - part, Math.floor(room / perPart)));
    const pages = await Promise.all(
      Array.from({ length: atOnce }, (_, i) =>
        read(partitionKeyOf(tag, part + i, parts), {
          from: part + i === first ? from : startOf(part + i, parts),
          to: part + i + 1 >= end ? to : startOf(part + i + 1, parts),
          limit: room,
        }),
      ),
    );
    for (const page of pages) {
      // It is read again as the first of the next page: what has expired in it has no keys to cut it at.
      if (count + page.read > limit) return { rows, read: count, next: startOf(part, parts) };
      part++;
      rows.push(...page.rows);
      count += page.read;
      if (page.next !== undefined) return { rows, read: count, next: page.next };
      if (part >= end) return { rows, read: count };
      if (count >= limit) return { rows, read: count, next: startOf(part, parts) };
    }
  }
}

/** The part after the last that has hashes before `to`. */
function endPart(to: string, parts: number): number {
  if (to >= startOf(parts, parts)) return parts;
  const part = partOf(to, parts);
  return startOf(part, parts) < to ? part + 1 : Math.max(1, part);
}

/** Cuts a page after so many rows. */
function cutTo({ rows, read, next }: Page, limit: number): Page {
  const kept = rows.slice(0, limit);
  const last = kept.at(-1);
  if (kept.length === rows.length || !last) return { rows, read, ...(next === undefined ? {} : { next }) };
  return { rows: kept, read: Math.ceil((read * kept.length) / rows.length), next: after(last.key) };
}

/** What several lists hold up to the key to which all of them were read. Of two rows with one key the newer stands. */
function merged(pages: readonly Page[], { from, to, limit }: PageQuery): Page {
  const bound = pages.reduce((least, { next = to }) => (next < least ? next : least), to);
  const rows = new Map<string, IndexEntry>();
  let read = 0;
  for (const page of pages) {
    const share = page.next === bound ? 1 : wayTo(bound, from, page.next ?? to);
    read += Math.max(page.rows.length > 0 ? 1 : 0, Math.round(page.read * Math.min(1, share)));
    for (const row of page.rows) {
      const other = rows.get(row.key);
      if (row.key < bound && (!other || other.connectedAt < row.connectedAt)) rows.set(row.key, row);
    }
  }
  const sorted = [...rows.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1));
  return cutTo({ rows: sorted, read, ...(bound < to ? { next: bound } : {}) }, limit);
}
