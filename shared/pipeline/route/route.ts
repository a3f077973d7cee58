import type { Connections, IndexEntry } from "../../ports.ts";
import type { Tag } from "../../protocol/tag.ts";
import { type Expression, expressionOf, type Target } from "../../protocol/target.ts";
import { contains, type HashRange, sortKey, WHOLE } from "../../receipts/hash-range.ts";
import { type ListDeps, mergeJoin, openList, type TagList } from "./tag-list.ts";

export interface RouteDeps extends ListDeps {
  readonly connections: Pick<Connections, "find">;
}

/** The connections a target means now, in ascending order of their sort key, each once. */
export interface Audience {
  /** The number of connections, estimated from the first page of each list. */
  readonly estimate: number;
  pages(): AsyncIterable<readonly IndexEntry[]>;
}

/** Looks up whom a target is for, within a range of the index, with memory for one page per tag. */
export async function route(deps: RouteDeps, target: Target, range: HashRange = WHOLE): Promise<Audience> {
  if ("connection" in target) {
    const key = sortKey(target.connection);
    const connection = contains(range, key)
      ? await deps.connections.find(target.connection, deps.clock.now())
      : undefined;
    return known(connection ? [{ ...connection, key }] : []);
  }
  const { all: needed, any: choice, none: barred } = expressionOf(target);
  const open = (tags: readonly Tag[]) => Promise.all(tags.map((tag) => openList(deps, tag, range)));
  const all = await open(needed);
  const [only] = all;
  if (only && all.length + choice.length + barred.length === 1) return only;
  const shortest = all.toSorted((a, b) => a.estimate - b.estimate)[0];
  const sifted = (list: TagList, others: readonly TagList[]): Audience => ({
    estimate: list.estimate,
    pages: () => sift(deps, list, others, { any: choice, none: barred }),
  });
  const others = all.filter((list) => list !== shortest);
  if (shortest?.complete) return sifted(shortest, others);
  const [any, none] = await Promise.all([open(choice), open(barred)]);
  if (shortest && isCheapToSift(shortest, [...others, ...any, ...none])) return sifted(shortest, others);
  return {
    estimate: shortest?.estimate ?? any.reduce((sum, list) => sum + list.estimate, 0),
    pages: () => mergeJoin({ all, any, none }, range, deps.policy.pageSize),
  };
}

/** The empty audience. */
export const NO_AUDIENCE: Audience = { estimate: 0, async *pages() {} };

const known = (rows: readonly IndexEntry[]): Audience => ({
  estimate: rows.length,
  async *pages() {
    if (rows.length > 0) yield rows;
  },
});

/** The number of rows that a query returns per read unit. A single row by its key costs a whole unit (DynamoDB). */
const ROWS_PER_READ = 40;

/** Returns true if looking the rows of a short list up in the others costs less than reading the others. */
function isCheapToSift(short: TagList, others: readonly TagList[]): boolean {
  const read = others.reduce((sum, list) => sum + list.estimate, 0) / ROWS_PER_READ;
  return short.estimate * others.length < read;
}

/** Reads one list and looks its rows up in the other lists, instead of reading those. */
async function* sift(
  { subscriptions, clock }: RouteDeps,
  list: TagList,
  all: readonly TagList[],
  { any, none }: Pick<Expression, "any" | "none">,
): AsyncGenerator<readonly IndexEntry[]> {
  for await (const page of list.pages()) {
    let rows = page;
    const holders = (tag: Tag) => subscriptions.filterHolders(tag, rows, clock.now());
    for (const other of all) {
      const keys = other.complete ? sameIn(other.first, rows) : await holders(other.tag);
      rows = rows.filter((row) => keys.has(row.key));
    }
    if (any.length > 0) {
      const keys = await Promise.all(any.map(holders));
      rows = rows.filter((row) => keys.some((set) => set.has(row.key)));
    }
    for (const tag of none) {
      const keys = await holders(tag);
      rows = rows.filter((row) => !keys.has(row.key));
    }
    if (rows.length > 0) yield rows;
  }
}

/** Returns the keys of those rows that are also in the list with the same connect time. */
function sameIn(list: readonly IndexEntry[], rows: readonly IndexEntry[]): ReadonlySet<string> {
  const times = new Map(list.map(({ key, connectedAt }) => [key, connectedAt]));
  return new Set(rows.filter(({ key, connectedAt }) => times.get(key) === connectedAt).map(({ key }) => key));
}
