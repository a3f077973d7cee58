import fc from "fast-check";
import * as v from "valibot";
import { expect, test } from "vitest";
import { type RouteDeps, route } from "../../shared/pipeline/route/route.ts";
import type { IndexEntry } from "../../shared/ports.ts";
import type { ConnectionId, Tag, UserId } from "../../shared/protocol/tag.ts";
import { Target } from "../../shared/protocol/target.ts";
import { after, contains, type HashRange, sortKey, split, WHOLE } from "../../shared/receipts/hash-range.ts";
import { DEFAULTS } from "../../shared/settings/settings.ts";
import { memoryClock } from "../../testing/memory/clock.ts";
import { memoryConnections } from "../../testing/memory/connections.ts";
import { memorySubscriptions } from "../../testing/memory/subscriptions.ts";

const clock = memoryClock();
const NOW = clock.now();
const LATER = NOW + 7_200_000;

interface Holder {
  readonly id: string;
  readonly tags: readonly string[];
  /** Tags whose rows have expired, and were not deleted. */
  readonly expired: readonly string[];
}

const NAMES = ["user:ann", "user:bob", "topic:a", "topic:b", "region:x", "region:y"] as const;
const some = fc.subarray([...NAMES]);
const holders: fc.Arbitrary<readonly Holder[]> = fc
  .tuple(fc.array(fc.tuple(some, some), { maxLength: 14 }), fc.constantFrom(0, 0, 0, 250))
  .map(([few, many]) => [
    ...few.map(([tags, expired], i) => ({ id: `c${i}=`, tags, expired })),
    // A list so long that it is cheaper to ask it than to read it.
    ...Array.from({ length: many }, (_, i) => ({ id: `m${i}=`, tags: ["region:y"], expired: [] })),
  ]);
const lists = fc.subarray([...NAMES], { minLength: 1, maxLength: 3 });
const targets = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .record({ all: lists, any: lists, none: lists }, { requiredKeys: [] })
      .map((tags) => ({ tags })),
  },
  fc.constantFrom({ user: "ann" }, { topic: "a" }, { everyone: true }),
  fc.nat(15).map((i) => ({ connection: `c${i}=` })),
);
const ranges: fc.Arbitrary<HashRange> = fc.oneof(
  fc.constant(WHOLE),
  fc.integer({ min: 1, max: 5 }).chain((parts) => fc.constantFrom(...split(WHOLE, parts))),
  // Where a run before left off.
  fc
    .nat(15)
    .map((i) => ({ from: after(sortKey(`c${i}=`)), to: WHOLE.to })),
);
const sizes = fc.record({
  firstPageSize: fc.integer({ min: 1, max: 4 }),
  pageSize: fc.integer({ min: 1, max: 5 }),
});

async function indexOf(all: readonly Holder[]): Promise<Omit<RouteDeps, "policy">> {
  const [subscriptions, connections] = [memorySubscriptions(), memoryConnections()];
  for (const { id, tags, expired } of all) {
    const holder = { connectionId: id as ConnectionId, connectedAt: NOW };
    await subscriptions.add(["everyone", ...tags] as Tag[], holder, LATER);
    await subscriptions.add(expired as Tag[], holder, NOW);
    await connections.put({
      ...holder,
      user: "ann" as UserId,
      tags: [],
      subscribe: [],
      expiresAt: LATER,
      tokenExpiresAt: LATER,
    });
  }
  return { subscriptions, connections, clock };
}

/** Whom a target is for, by the words of docs/protocol.md. */
function isFor(target: Target, { id, tags, expired }: Holder): boolean {
  const holds = (tag: string) => tag === "everyone" || (tags.includes(tag) && !expired.includes(tag));
  if ("connection" in target) return target.connection === id;
  if ("user" in target) return holds(`user:${target.user}`);
  if ("topic" in target) return holds(`topic:${target.topic}`);
  if ("everyone" in target) return true;
  const { all = [], any, none = [] } = target.tags;
  return all.every(holds) && (any === undefined || any.some(holds)) && !none.some(holds);
}

const keysFor = (all: readonly Holder[], target: Target, range: HashRange) =>
  all
    .filter((holder) => isFor(target, holder))
    .map(({ id }) => sortKey(id))
    .filter((key) => contains(range, key))
    .sort();

async function pagesOf(deps: RouteDeps, target: Target, range: HashRange) {
  const pages: (readonly IndexEntry[])[] = [];
  for await (const page of (await route(deps, target, range)).pages()) pages.push(page);
  return pages;
}

const valid = targets.filter((target) => v.is(Target, target)).map((target) => v.parse(Target, target));

test("a target reaches exactly those it is for, in order and each once, in pages of bounded size", async () => {
  await fc.assert(
    fc.asyncProperty(holders, valid, ranges, sizes, async (all, target, range, policy) => {
      const pages = await pagesOf({ ...(await indexOf(all)), policy }, target, range);
      const rows = pages.flat();
      expect(rows.map(({ key }) => key)).toEqual(keysFor(all, target, range));
      for (const { key, connectionId } of rows) expect(key).toBe(sortKey(connectionId));
      const most = Math.max(policy.firstPageSize, policy.pageSize);
      for (const page of pages) expect(page.length).toBeLessThanOrEqual(most);
    }),
    { numRuns: 400 },
  );
});

test("targets of one batch that read the same first pages reach the same as each alone", async () => {
  await fc.assert(
    fc.asyncProperty(
      holders,
      fc.array(valid, { minLength: 2, maxLength: 4 }),
      sizes,
      async (all, batch, policy) => {
        const deps = { ...(await indexOf(all)), policy, firstPages: new Map() };
        const found = await Promise.all(batch.map((target) => pagesOf(deps, target, WHOLE)));
        for (const [i, target] of batch.entries()) {
          expect(found[i]?.flat().map(({ key }) => key)).toEqual(keysFor(all, target, WHOLE));
        }
      },
    ),
  );
});

test("ranges that make the whole reach together what the whole reaches", async () => {
  await fc.assert(
    fc.asyncProperty(
      holders,
      valid,
      fc.integer({ min: 1, max: 9 }),
      sizes,
      async (all, target, parts, policy) => {
        const deps = { ...(await indexOf(all)), policy };
        const pieces = await Promise.all(split(WHOLE, parts).map((range) => pagesOf(deps, target, range)));
        expect(pieces.flat(2).map(({ key }) => key)).toEqual(keysFor(all, target, WHOLE));
      },
    ),
  );
});

test("a subscription whose reply was sent is seen by every message after it", async () => {
  const deps = { ...(await indexOf([])), policy: DEFAULTS.advanced };
  const holder = { connectionId: "new=" as ConnectionId, connectedAt: NOW };
  await deps.subscriptions.add(["topic:a" as Tag], holder, LATER);
  expect(await pagesOf(deps, v.parse(Target, { topic: "a" }), WHOLE)).toEqual([
    [{ ...holder, key: sortKey("new=") }],
  ]);
});

test.each([
  { how: "asked for", firstPageSize: 100, others: 0 },
  { how: "merged", firstPageSize: 1, others: 3 },
])("rows that an earlier connection of the same id left are not mixed with the present one's, $how", async ({
  firstPageSize,
  others,
}) => {
  const deps = { ...(await indexOf([])), policy: { firstPageSize, pageSize: 1 } };
  const [old, now] = [NOW - 1, NOW].map((connectedAt) => ({
    connectionId: "c=" as ConnectionId,
    connectedAt,
  }));
  if (!old || !now) throw new Error("there are two");
  await deps.subscriptions.add(["topic:a", "region:x"] as Tag[], old, LATER);
  await deps.subscriptions.add(["topic:a", "topic:b"] as Tag[], now, LATER);
  for (let i = 0; i < others; i++) {
    const holder = { connectionId: `other${i}=` as ConnectionId, connectedAt: NOW };
    await deps.subscriptions.add(["topic:a", "topic:b", "region:x"] as Tag[], holder, LATER);
  }
  const reached = async (tags: object) =>
    (await pagesOf(deps, v.parse(Target, { tags }), WHOLE)).flat().filter((row) => row.connectionId === "c=");
  expect(await reached({ all: ["topic:a", "region:x"] })).toEqual([]);
  expect(await reached({ all: ["topic:a", "topic:b"] })).toHaveLength(1);
  expect(await reached({ all: ["topic:a"], none: ["region:x"] })).toHaveLength(1);
  expect(await reached({ all: ["topic:a"], none: ["topic:b"] })).toEqual([]);
  for (const any of [
    ["region:x", "topic:a"],
    ["topic:a", "region:x"],
  ])
    expect(await reached({ all: ["topic:b"], any })).toEqual([expect.objectContaining({ connectedAt: NOW })]);
});

test("a list is not taken for a short one because most of its rows have expired", async () => {
  const subscriptions = memorySubscriptions();
  const connections = memoryConnections();
  const tag = "topic:a" as Tag;
  const count = 20_000;
  for (let i = 0; i < count; i++) {
    const holder = { connectionId: `c${i}=` as ConnectionId, connectedAt: NOW };
    await subscriptions.add([tag], holder, i % 50 === 0 ? LATER : NOW - 1);
  }
  const policy = { ...DEFAULTS.advanced, firstPageSize: 100 };
  const deps = { subscriptions, connections, clock, policy };
  const { estimate } = await route(deps, { topic: "a" } as Target);
  expect(estimate / count).toBeGreaterThan(0.6);
  expect(estimate / count).toBeLessThan(1.6);
});
