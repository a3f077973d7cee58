import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type PageQuery, pageOfList } from "../../shared/adapters/dynamodb/list-page.ts";
import { type ListParts, listParts, partitionKeyOf } from "../../shared/connections/list-parts.ts";
import { route } from "../../shared/pipeline/route/route.ts";
import type { IndexEntry, Page, Subscriptions } from "../../shared/ports.ts";
import type { ConnectionId, Tag } from "../../shared/protocol/tag.ts";

import { type HashRange, sortKey, WHOLE } from "../../shared/receipts/hash-range.ts";
import { memoryClock } from "../../testing/memory/clock.ts";
import { memoryConnections } from "../../testing/memory/connections.ts";
import { memorySubscriptions } from "../../testing/memory/subscriptions.ts";

const NOW = memoryClock().now();
const LATER = NOW + 7_200_000;
const SINCE = new Date(NOW).toISOString().replace(".000", "");
const TAGS = ["a:0", "a:1", "a:2", "a:3"] as Tag[];

/** Lists whose rows lie where `parts` says, in a store that knows partition keys alone; and how often it was read. */
function spread(parts: ListParts) {
  const keys = memorySubscriptions();
  const read = { keys: [] as string[], rows: 0 };
  const subscriptions: Subscriptions = {
    page: (tag, { now, ...query }) =>
      pageOfList(
        async (partitionKey, part: PageQuery): Promise<Page> => {
          read.keys.push(partitionKey);
          const page = await keys.page(partitionKey as Tag, { ...part, now });
          read.rows += page.read;
          return page;
        },
        tag,
        parts.countsAt(tag, now),
        query,
      ),
    async filterHolders(tag, rows, now) {
      const found = await Promise.all(
        rows.map((row) => keys.filterHolders(parts.partitionKey(tag, row) as Tag, [row], now)),
      );
      return new Set(found.flatMap((held) => [...held]));
    },
    add: (tags, holder, expiresAt) =>
      keys.add(keysOf(parts, tags, holder.connectionId, holder.connectedAt), holder, expiresAt),
    remove: (tags, holder) =>
      keys.remove(keysOf(parts, tags, holder.connectionId, holder.connectedAt), holder),
  };
  return { subscriptions, read };
}

const keysOf = (parts: ListParts, tags: readonly Tag[], id: ConnectionId, connectedAt: number) =>
  tags.map((tag) => parts.partitionKey(tag, { key: sortKey(id), connectedAt }) as Tag);

const bits = fc.integer({ min: 0, max: 6 });
const schedule = fc
  .tuple(...TAGS.map(() => fc.option(fc.record({ hashBits: bits, hashBitsBefore: bits }))))
  .map((each) =>
    listParts(each.flatMap((one, i) => (one ? [{ tag: TAGS[i] ?? "", ...one, since: SINCE }] : []))),
  );

/** Who holds which tags; some had their id before, some have expired. */
const holders = fc.array(
  fc.record({
    id: fc.integer({ min: 0, max: 60 }).map((id) => `c${id}=` as ConnectionId),
    connectedAt: fc.integer({ min: -3, max: 3 }).map((ms) => NOW + ms),
    tags: fc.subarray(TAGS),
    lives: fc.integer({ min: 0, max: 9 }).map((die) => die > 0),
  }),
  { maxLength: 120 },
);
const digits = fc.integer({ min: 0, max: 0xffffffff }).map((value) => value.toString(16).padStart(8, "0"));
const range: fc.Arbitrary<HashRange> = fc.oneof(
  fc.constant(WHOLE),
  fc
    .tuple(digits, fc.oneof(digits, fc.constant("g")))
    .filter(([from, to]) => from < to)
    .map(([from, to]) => ({ from, to })),
  fc.constantFrom({ from: "40000000", to: "80000000" }, { from: "00000000", to: "01000000" }),
);
const part = (most: number) => fc.subarray(TAGS, { maxLength: most });
const expression = fc
  .record({ all: part(3), any: part(3), none: part(2) })
  .filter(({ all, any }) => all.length + any.length > 0);

async function write(
  subscriptions: Subscriptions,
  rows: typeof holders extends fc.Arbitrary<infer T> ? T : never,
) {
  // A row of an id replaces an earlier one only on its own key, so the order is that of the connect times.
  for (const { id, connectedAt, tags, lives } of rows.toSorted((a, b) => a.connectedAt - b.connectedAt))
    await subscriptions.add(tags, { connectionId: id, connectedAt }, lives ? LATER : NOW);
}

/** Two connections of one id count as the newer, and a list that lies on two sets of keys holds both. */
const unique = (rows: typeof holders extends fc.Arbitrary<infer T> ? T : never) => [
  ...new Map(rows.map((row) => [row.id, row])).values(),
];

type Parts = Readonly<Record<"all" | "any" | "none", Tag[]>>;

async function audience(
  subscriptions: Subscriptions,
  tags: Parts,
  within: HashRange,
  policy: { readonly pageSize: number; readonly firstPageSize: number },
) {
  const deps = { subscriptions, connections: memoryConnections(), clock: memoryClock(), policy };
  const rows: IndexEntry[] = [];
  for await (const page of (await route(deps, { tags }, within)).pages()) rows.push(...page);
  return rows;
}

describe("lists that lie on several partition keys", () => {
  test("are the same to every expression, in any range and pages of any size, while their number changes too", async () => {
    const sizes = fc.record({
      pageSize: fc.integer({ min: 1, max: 40 }),
      firstPageSize: fc.integer({ min: 1, max: 40 }),
    });
    await fc.assert(
      fc.asyncProperty(
        schedule,
        holders,
        expression,
        range,
        sizes,
        async (parts, some, tags, within, policy) => {
          const [one, several] = [memorySubscriptions(), spread(parts)];
          const rows = unique(some);
          await write(one, rows);
          await write(several.subscriptions, rows);
          expect(await audience(several.subscriptions, tags, within, policy)).toEqual(
            await audience(one, tags, within, policy),
          );
        },
      ),
      { numRuns: 1_500 },
    );
  });

  test("show of an id that came back the newer connection, and forget both", async () => {
    await fc.assert(
      fc.asyncProperty(schedule, holders, fc.integer({ min: 1, max: 20 }), async (parts, some, limit) => {
        const { subscriptions } = spread(parts);
        const rows = some.map((row) => ({ ...row, lives: true }));
        await write(subscriptions, rows);
        for (const tag of TAGS) {
          const newest = new Map<string, number>();
          for (const { id, connectedAt } of rows.filter(({ tags }) => tags.includes(tag)))
            newest.set(id, Math.max(connectedAt, newest.get(id) ?? 0));
          const seen = await all(subscriptions, tag, limit);
          expect(new Map(seen.map((row) => [row.connectionId, row.connectedAt]))).toEqual(newest);
          expect(seen).toHaveLength(newest.size);
        }
        for (const { id, connectedAt, tags } of rows)
          await subscriptions.remove(tags, { connectionId: id, connectedAt });
        for (const tag of TAGS) expect(await all(subscriptions, tag, limit)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});

async function all(subscriptions: Subscriptions, tag: Tag, limit: number): Promise<IndexEntry[]> {
  const seen: IndexEntry[] = [];
  for (let from: string | undefined = WHOLE.from; from !== undefined; ) {
    const { rows, next } = await subscriptions.page(tag, { ...WHOLE, from, limit, now: NOW });
    expect(rows.length).toBeLessThanOrEqual(limit);
    seen.push(...rows);
    from = next;
  }
  return seen;
}

/** A list of `size` connections on 32 keys. */
async function listOf(size: number) {
  const list = spread(listParts([{ tag: "a:0", hashBits: 5, hashBitsBefore: 5, since: SINCE }]));
  for (let i = 0; i < size; i++)
    await list.subscriptions.add(
      ["a:0" as Tag],
      { connectionId: `c${i}=` as ConnectionId, connectedAt: NOW },
      LATER,
    );
  const page = await list.subscriptions.page("a:0" as Tag, { ...WHOLE, limit: 100, now: NOW });
  return { ...list, page };
}

test.each([
  0, 1, 5, 60,
])("a list of %i costs a read for each key, and is known after one page", async (size) => {
  const { read, page } = await listOf(size);
  expect(page).toMatchObject({ read: size });
  expect(page.next).toBeUndefined();
  expect(read).toEqual({ keys: Array.from({ length: 32 }, (_, i) => `a:0 ${i}/32`), rows: size });
});

test("the first page of a large list is one read, and its size is estimated from it", async () => {
  const { read, page } = await listOf(6_400);
  expect(read.keys).toEqual([partitionKeyOf("a:0" as Tag, 0, 32)]);
  expect(page.rows).toHaveLength(100);
});

test("to page through a list reads few rows twice", async () => {
  const { subscriptions, read } = await listOf(3_000);
  read.rows = 0;
  expect(await all(subscriptions, "a:0" as Tag, 1_000)).toHaveLength(3_000);
  expect(read.rows).toBeLessThan(3_600);
});
