import { describe, expect, test } from "vitest";
import { route } from "../../shared/pipeline/route/route.ts";
import type { Subscriptions } from "../../shared/ports.ts";
import type { ConnectionId, Tag } from "../../shared/protocol/tag.ts";
import type { Expression } from "../../shared/protocol/target.ts";
import { memoryClock } from "../../testing/memory/clock.ts";
import { memoryConnections } from "../../testing/memory/connections.ts";
import { memorySubscriptions } from "../../testing/memory/subscriptions.ts";

const NOW = memoryClock().now();
const LATER = NOW + 7_200_000;
const tag = (name: string) => `region:${name}` as Tag;

/** An index whose lists are read in pages of `pageSize`, and what was asked of it. */
function index(pageSize: number) {
  const subscriptions = memorySubscriptions();
  const asked = { pages: [] as Tag[], keys: [] as Tag[] };
  const counted: Subscriptions = {
    ...subscriptions,
    page(name, query) {
      asked.pages.push(name);
      return subscriptions.page(name, query);
    },
    filterHolders(name, rows, now) {
      asked.keys.push(name);
      return subscriptions.filterHolders(name, rows, now);
    },
  };
  const deps = {
    subscriptions: counted,
    connections: memoryConnections(),
    clock: memoryClock(),
    policy: { pageSize, firstPageSize: pageSize },
  };
  return {
    asked,
    add: (id: string, connectedAt: number, ...names: string[]) =>
      subscriptions.add(names.map(tag), { connectionId: id as ConnectionId, connectedAt }, LATER),
    async pages(expression: { readonly [Part in keyof Expression]?: readonly string[] }) {
      const tags = Object.fromEntries(
        Object.entries(expression).map(([part, names]) => [part, names.map(tag)]),
      );
      const pages = [];
      for await (const page of (await route(deps, { tags })).pages()) pages.push(page);
      return pages;
    },
  };
}

describe("of two connections that had one id", () => {
  const ask = async (expression: Parameters<ReturnType<typeof index>["pages"]>[0], pageSize = 1) => {
    const { add, pages } = index(pageSize);
    // The rows of the earlier connection outlived it.
    await add("c=", NOW - 9_000, "old", "both");
    await add("c=", NOW, "new", "both");
    for (const other of ["d=", "e="]) await add(other, NOW, "old", "new", "both");
    return (await pages(expression))
      .flat()
      .filter(({ connectionId }) => connectionId === "c=")
      .map(({ connectedAt }) => connectedAt);
  };

  test.each([
    { any: ["old", "new"] },
    { any: ["new", "old"] },
    { any: ["old", "both"] },
  ])("the newer is meant by any of $any, and once", async (expression) => {
    expect(await ask(expression)).toEqual([NOW]);
  });

  test.each([1, 5])("only the newer holds all tags that it has, in pages of %i", async (pageSize) => {
    expect(await ask({ all: ["new", "both"] }, pageSize)).toEqual([NOW]);
    expect(await ask({ all: ["old", "both"] }, pageSize)).toEqual([]);
    expect(await ask({ all: ["old", "new"] }, pageSize)).toEqual([]);
    expect(await ask({ all: ["both"], any: ["old"] }, pageSize)).toEqual([]);
    expect(await ask({ all: ["new"], any: ["old", "both"] }, pageSize)).toEqual([NOW]);
  });

  test.each([1, 5])("a row of the earlier bars the newer from nothing, in pages of %i", async (pageSize) => {
    expect(await ask({ all: ["new"], none: ["old"] }, pageSize)).toEqual([NOW]);
    expect(await ask({ all: ["both"], none: ["new"] }, pageSize)).toEqual([]);
  });
});

test("a list that fits one page is looked up in the others, which are not read", async () => {
  const { add, pages, asked } = index(10);
  for (let i = 0; i < 40; i++) await add(`c${i}=`, NOW, "long", "other", ...(i < 3 ? ["short"] : []));
  await add("c0=", NOW, "barred");
  expect((await pages({ all: ["short"], any: ["long", "other"], none: ["barred"] })).flat()).toHaveLength(2);
  expect(asked.pages).toEqual([tag("short")]);
  expect(asked.keys.toSorted()).toEqual([tag("barred"), tag("long"), tag("other")]);
});

test("of two lists that fit a page each the other is compared as it was read, without another call", async () => {
  const { add, pages, asked } = index(10);
  for (let i = 0; i < 6; i++) await add(`c${i}=`, NOW, "one", ...(i % 2 ? ["two"] : []));
  expect((await pages({ all: ["one", "two"] })).flat()).toHaveLength(3);
  expect(asked).toEqual({ pages: [tag("one"), tag("two")], keys: [] });
});

test("an expression over long lists is answered in full pages, and none of them is empty", async () => {
  const { add, pages } = index(4);
  for (let i = 0; i < 40; i++) await add(`c${i}=`, NOW, "one", ...(i < 18 ? ["two"] : ["three"]));
  expect((await pages({ all: ["one", "two"] })).map(({ length }) => length)).toEqual([4, 4, 4, 4, 2]);
  expect(await pages({ all: ["two", "three"] })).toEqual([]);
  expect((await pages({ any: ["two", "three"] })).map(({ length }) => length)).toEqual(Array(10).fill(4));
});
