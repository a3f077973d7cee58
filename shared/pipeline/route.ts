import { contains, type HashRange, sortKey, WHOLE } from "../domain/hash-range.ts";
import { type Expression, expressionOf, type Target } from "../domain/target.ts";
import type { Connections, Posting } from "../ports.ts";
import { type ListDeps, mergeJoin, openList, type PostingList } from "./posting-list.ts";

export interface RouteDeps extends ListDeps {
  readonly connections: Pick<Connections, "find">;
}

/** The connections a target means now, in ascending order of their sort key, each once. */
export interface Audience {
  /** How many there are, told from the first page of each list. */
  readonly estimate: number;
  pages(): AsyncIterable<readonly Posting[]>;
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
  const expression = expressionOf(target);
  const open = (tags: Expression["all"]) => Promise.all(tags.map((tag) => openList(deps, tag, range)));
  const all = await open(expression.all);
  const shortest = all.filter((list) => list.complete).sort((a, b) => a.first.length - b.first.length)[0];
  if (shortest) return known(await sift(deps, shortest, all, expression));
  const [only] = all;
  if (only && all.length + expression.any.length + expression.none.length === 1) return only;
  const [any, none] = await Promise.all([open(expression.any), open(expression.none)]);
  const estimate =
    all.length > 0
      ? Math.min(...all.map((list) => list.estimate))
      : any.reduce((sum, list) => sum + list.estimate, 0);
  return { estimate, pages: () => mergeJoin({ all, any, none }, range, deps.policy.pageSize) };
}

const known = (rows: readonly Posting[]): Audience => ({
  estimate: rows.length,
  async *pages() {
    if (rows.length > 0) yield rows;
  },
});

/** Where one list is short, asks the other lists about its rows instead of reading them. */
async function sift(
  { subscriptions, clock }: RouteDeps,
  shortest: PostingList,
  all: readonly PostingList[],
  { any, none }: Expression,
): Promise<readonly Posting[]> {
  let rows = shortest.first;
  const holders = (tag: PostingList["tag"]) => subscriptions.among(tag, rows, clock.now());
  for (const list of all) {
    if (list === shortest) continue;
    const keys = list.complete ? sameIn(list.first, rows) : await holders(list.tag);
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
  return rows;
}

/** The keys of those rows that the list has too, with the same connect time. */
function sameIn(list: readonly Posting[], rows: readonly Posting[]): ReadonlySet<string> {
  const times = new Map(list.map(({ key, connectedAt }) => [key, connectedAt]));
  return new Set(rows.filter(({ key, connectedAt }) => times.get(key) === connectedAt).map(({ key }) => key));
}
