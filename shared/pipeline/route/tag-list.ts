import type { Awaitable, Clock, IndexEntry, Page, Subscriptions } from "../../ports.ts";
import type { Tag } from "../../protocol/tag.ts";
import { after, estimate, type HashRange } from "../../receipts/hash-range.ts";
import type { DeliveryPolicy } from "../../settings/policy.ts";

export interface ListDeps {
  readonly subscriptions: Subscriptions;
  readonly clock: Pick<Clock, "now">;
  readonly policy: Pick<DeliveryPolicy, "pageSize" | "firstPageSize">;
  /**
   * First pages that the run has read, by tag and range, so that targets which repeat in a batch are looked up once. No
   * message of the batch was accepted after them, so a connection that had subscribed before a message is in them. A
   * message of a stream is served by pages alone that were read after it was appended: whoever appends to a stream
   * deletes the pages of its tag.
   */
  readonly firstPages?: FirstPages;
}

export type FirstPages = Map<Tag, Map<string, Awaitable<Page>>>;

/** One tag's list over a range, read page by page and never held whole. */
export interface TagList {
  readonly tag: Tag;
  readonly first: readonly IndexEntry[];
  /** Whether the first page is all of it. */
  readonly complete: boolean;
  /** The number of rows, estimated from the first page. */
  readonly estimate: number;
  /** The first row at or after the key; keys must not go back. Answers without a promise where the row is at hand. */
  seek(key: string): Awaitable<IndexEntry | undefined>;
  /** Every row, by pages. */
  pages(): AsyncGenerator<readonly IndexEntry[]>;
}

/** Opens a list by reading its first page. */
export async function openList(deps: ListDeps, tag: Tag, range: HashRange): Promise<TagList> {
  const read = (from: string, limit: number) =>
    deps.subscriptions.page(tag, { from, to: range.to, limit, now: deps.clock.now() });
  const pages = deps.firstPages?.get(tag) ?? new Map<string, Awaitable<Page>>();
  deps.firstPages?.set(tag, pages);
  const name = `${range.from}-${range.to}`;
  const reading = pages.get(name) ?? read(range.from, deps.policy.firstPageSize);
  pages.set(name, reading);
  const first = await reading;

  let page = first;
  let index = 0;
  const advance = (key: string) => {
    while (index < page.rows.length && (page.rows[index]?.key ?? "") < key) index++;
    return page.rows[index];
  };
  const load = async (key: string): Promise<IndexEntry | undefined> => {
    while (page.next !== undefined) {
      page = await read(page.next > key ? page.next : key, deps.policy.pageSize);
      index = 0;
      const row = advance(key);
      if (row) return row;
    }
    return undefined;
  };

  return {
    tag,
    first: first.rows,
    complete: first.next === undefined,
    estimate: sizeOf(first, range),
    seek: (key) => advance(key) ?? (page.next === undefined ? undefined : load(key)),
    async *pages() {
      yield first.rows;
      for (let at = first.next; at !== undefined; ) {
        const { rows, next } = await read(at, deps.policy.pageSize);
        yield rows;
        at = next;
      }
    },
  };
}

/** Estimated from the rows that were read: after a mass disconnect most of a list may be expired rows. */
function sizeOf({ rows, read, next }: Page, range: HashRange): number {
  return next === undefined ? rows.length : estimate(range, read, next);
}

/** Rows that are in every list of `all`, in one of `any` (if there are any) and in none of `none`: a merge join. */
export async function* mergeJoin(
  lists: {
    readonly all: readonly TagList[];
    readonly any: readonly TagList[];
    readonly none: readonly TagList[];
  },
  { from }: HashRange,
  pageSize: number,
): AsyncGenerator<readonly IndexEntry[]> {
  let rows: IndexEntry[] = [];
  for (let at = from; ; ) {
    const row = await nextCandidate(lists, at);
    if (!row) break;
    at = after(row.key);
    if (!(await matchesExpression(lists, row))) continue;
    rows.push(row);
    if (rows.length < pageSize) continue;
    yield rows;
    rows = [];
  }
  if (rows.length > 0) yield rows;
}

/**
 * Whether a candidate, which is of a list of `any` if there are any, is in all the others too. Ids come back: rows under
 * one key are of one connection only if their connect times are the same.
 */
async function matchesExpression(
  { all, none }: Record<"all" | "none", readonly TagList[]>,
  row: IndexEntry,
): Promise<boolean> {
  return (await holders(all, row)) === all.length && (await holders(none, row)) === 0;
}

/** How many of the lists have the very row. */
async function holders(lists: readonly TagList[], { key, connectedAt }: IndexEntry): Promise<number> {
  let count = 0;
  for (const list of lists) {
    const found = list.seek(key);
    const row = found instanceof Promise ? await found : found;
    if (row?.key === key && row.connectedAt === connectedAt) count++;
  }
  return count;
}

/**
 * Leapfrog: the list that is furthest ahead pulls the others after it. Returns the row at which they meet, or a row past
 * which one of them has gone; undefined if a list of `all`, or each of `any`, is at its end.
 */
async function nextCandidate(
  { all, any }: { all: readonly TagList[]; any: readonly TagList[] },
  from: string,
): Promise<IndexEntry | undefined> {
  let furthest: IndexEntry | undefined;
  for (const list of all) {
    const found = list.seek(furthest?.key ?? from);
    furthest = found instanceof Promise ? await found : found;
    if (!furthest) return undefined;
  }
  return any.length > 0 ? nearest(any, furthest?.key ?? from) : furthest;
}

async function nearest(lists: readonly TagList[], key: string): Promise<IndexEntry | undefined> {
  let least: IndexEntry | undefined;
  for (const list of lists) {
    const found = list.seek(key);
    const row = found instanceof Promise ? await found : found;
    if (row && (!least || row.key < least.key || isNewer(row, least))) least = row;
  }
  return least;
}

const isNewer = (a: IndexEntry, b: IndexEntry) => a.key === b.key && a.connectedAt > b.connectedAt;
