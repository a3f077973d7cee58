import { expect, test } from "vitest";
import { route } from "../../shared/pipeline/route/route.ts";
import type { Subscriptions } from "../../shared/ports.ts";
import type { ConnectionId, Tag } from "../../shared/protocol/tag.ts";
import type { Target } from "../../shared/protocol/target.ts";
import { DEFAULTS } from "../../shared/settings/settings.ts";
import { memoryClock } from "../../testing/memory/clock.ts";
import { memoryConnections } from "../../testing/memory/connections.ts";
import { memorySubscriptions } from "../../testing/memory/subscriptions.ts";

const clock = memoryClock();
const EXPIRY = clock.now() + 7_200_000;

/** Lists of these sizes; each shorter one is part of each longer one. */
async function lists(sizes: Readonly<Record<string, number>>) {
  const subscriptions = memorySubscriptions();
  const longest = Math.max(...Object.values(sizes));
  for (let i = 0; i < longest; i++) {
    const held = Object.keys(sizes).filter((tag) => i < (sizes[tag] ?? 0)) as Tag[];
    await subscriptions.add(
      held,
      { connectionId: `c${i}` as ConnectionId, connectedAt: clock.now() },
      EXPIRY,
    );
  }
  const read = { rows: 0, keys: 0, calls: 0 };
  const counted: Subscriptions = {
    ...subscriptions,
    async page(tag, query) {
      const page = await subscriptions.page(tag, query);
      read.calls += 1;
      read.rows += page.rows.length;
      return page;
    },
    async filterHolders(tag, rows, now) {
      read.calls += 1;
      read.keys += rows.length;
      return subscriptions.filterHolders(tag, rows, now);
    },
  };
  const reach = async (target: Target, firstPages = new Map()) => {
    const audience = await route(
      {
        subscriptions: counted,
        connections: memoryConnections(),
        clock,
        policy: DEFAULTS.advanced,
        firstPages,
      },
      target,
    );
    let size = 0;
    for await (const page of audience.pages()) size += page.length;
    return size;
  };
  return { read, reach };
}

test.each([
  10, 100, 300,
])("an intersection of %i and 20,000 connections reads in proportion to the short list", async (short) => {
  const { read, reach } = await lists({ "a:long": 20_000, "a:short": short });
  expect(await reach({ tags: { all: ["a:long" as Tag, "a:short" as Tag] } })).toBe(short);
  expect(read.keys).toBe(short);
  expect(read.rows).toBeLessThanOrEqual(short + DEFAULTS.advanced.firstPageSize);
});

test("an intersection of two lists of like size reads each row once", async () => {
  const { read, reach } = await lists({ "a:one": 3_000, "a:two": 2_900 });
  expect(await reach({ tags: { all: ["a:one" as Tag, "a:two" as Tag] } })).toBe(2_900);
  expect(read.keys).toBe(0);
  expect(read.rows).toBeLessThanOrEqual(5_900);
});

test("a target that repeats in a batch is looked up once", async () => {
  const { read, reach } = await lists({ "topic:orders": 50 });
  const firstPages = new Map();
  for (let i = 0; i < 10; i++) expect(await reach({ topic: "orders" as never }, firstPages)).toBe(50);
  expect(read.calls).toBe(1);
});
