import { expect, test } from "vitest";
import type { Subscriptions } from "../../shared/ports.ts";
import type { ConnectionId, Tag } from "../../shared/protocol/tag.ts";
import { sortKey, WHOLE } from "../../shared/receipts/hash-range.ts";

const NOW = Date.parse("2026-01-01T00:00:00Z");
const LATER = NOW + 7_200_000;

/** Over all runs of the contract: they may stand on one table. */
let count = 0;

/** What every Subscriptions owes its callers, whatever it is made of. */
export function subscriptionsContract(open: () => Subscriptions): void {
  const aTag = () => `test:${++count}` as Tag;
  const holder = (name: string, connectedAt = NOW) => ({ connectionId: name as ConnectionId, connectedAt });
  const all = { ...WHOLE, limit: 100, now: NOW };
  const names = async (subscriptions: Subscriptions, tag: Tag, now = NOW) =>
    (await subscriptions.page(tag, { ...all, now })).rows.map((row) => row.connectionId);

  test("sees every add that has returned, in the order of the sort key", async () => {
    const subscriptions = open();
    const tag = aTag();
    const ids = ["a", "b", "c", "d", "e"];
    for (const id of ids) await subscriptions.add([tag], holder(id), LATER);
    const expected = [...ids].sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
    expect(await names(subscriptions, tag)).toEqual(expected);
  });

  test("pages through a list without gap or repeat", async () => {
    const subscriptions = open();
    const tag = aTag();
    const ids = Array.from({ length: 30 }, (_, i) => `c${i}`);
    for (const id of ids) await subscriptions.add([tag], holder(id), LATER);
    const seen: string[] = [];
    for (let from: string | undefined = WHOLE.from; from !== undefined; ) {
      const { rows, next } = await subscriptions.page(tag, { ...all, from, limit: 7 });
      seen.push(...rows.map((row) => row.connectionId));
      from = next;
    }
    expect(seen.toSorted()).toEqual(ids.toSorted());
  });

  test("two ranges that meet make the whole list", async () => {
    const subscriptions = open();
    const tag = aTag();
    const ids = Array.from({ length: 20 }, (_, i) => `r${i}`);
    for (const id of ids) await subscriptions.add([tag], holder(id), LATER);
    const low = await subscriptions.page(tag, { ...all, to: "80000000" });
    const high = await subscriptions.page(tag, { ...all, from: "80000000" });
    expect([...low.rows, ...high.rows].map((row) => row.connectionId).toSorted()).toEqual(ids.toSorted());
  });

  test("counts the rows that it read, expired or not, and shows an empty page before a full one", async () => {
    const subscriptions = open();
    const tag = aTag();
    const ids = ["a", "b", "c", "d", "e"].toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
    for (const [i, id] of ids.entries()) await subscriptions.add([tag], holder(id), i < 3 ? NOW : LATER);
    const old = await subscriptions.page(tag, { ...all, limit: 3 });
    expect(old).toMatchObject({ rows: [], read: 3, next: expect.any(String) });
    const young = await subscriptions.page(tag, { ...all, limit: 3, from: old.next ?? "" });
    expect(young.rows.map((row) => row.connectionId)).toEqual(ids.slice(3));
    expect(young).toMatchObject({ read: 2 });
    expect(young.next).toBeUndefined();
  });

  test("never shows a row that has expired", async () => {
    const subscriptions = open();
    const tag = aTag();
    await subscriptions.add([tag], holder("old"), NOW + 1_000);
    expect(await names(subscriptions, tag, NOW + 2_000)).toEqual([]);
  });

  test("says which connections of one list hold another tag", async () => {
    const subscriptions = open();
    const [one, other] = [aTag(), aTag()];
    for (const id of ["a", "b", "c"]) await subscriptions.add([one], holder(id), LATER);
    await subscriptions.add([other], holder("b"), LATER);
    const { rows } = await subscriptions.page(one, all);
    expect([...(await subscriptions.filterHolders(other, rows, NOW))]).toEqual([sortKey("b")]);
    expect((await subscriptions.filterHolders(other, [], NOW)).size).toBe(0);
  });

  test("removes a holder once and twice, but not one with another connect time", async () => {
    const subscriptions = open();
    const tag = aTag();
    await subscriptions.add([tag], holder("a"), LATER);
    await subscriptions.remove([tag], holder("a", NOW + 1));
    expect(await names(subscriptions, tag)).toEqual(["a"]);
    await subscriptions.remove([tag], holder("a"));
    await subscriptions.remove([tag], holder("a"));
    expect(await names(subscriptions, tag)).toEqual([]);
  });

  test("a range begins with its first key and ends before its last", async () => {
    const subscriptions = open();
    const tag = aTag();
    const ids = ["a", "b", "c", "d"].toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
    for (const id of ids) await subscriptions.add([tag], holder(id), LATER);
    const [first = "", , last = ""] = ids.map(sortKey);
    const { rows } = await subscriptions.page(tag, { ...all, from: first, to: last });
    expect(rows.map((row) => row.connectionId)).toEqual(ids.slice(0, 2));
  });

  test("shows no more rows than asked for, and goes on past rows that have expired", async () => {
    const subscriptions = open();
    const tag = aTag();
    const ids = Array.from({ length: 12 }, (_, i) => `e${i}`).toSorted((a, b) =>
      sortKey(a) < sortKey(b) ? -1 : 1,
    );
    for (const [i, id] of ids.entries()) await subscriptions.add([tag], holder(id), i < 8 ? NOW : LATER);
    const seen: string[] = [];
    for (let from: string | undefined = WHOLE.from; from !== undefined; ) {
      const { rows, next } = await subscriptions.page(tag, { ...all, from, limit: 3 });
      expect(rows.length).toBeLessThanOrEqual(3);
      seen.push(...rows.map((row) => row.connectionId));
      from = next;
    }
    expect(seen).toEqual(ids.slice(8));
  });

  test("adds a holder once and twice and twice at once, and the last expiry holds", async () => {
    const subscriptions = open();
    const [tag, other] = [aTag(), aTag()];
    await subscriptions.add([tag], holder("a"), NOW + 1_000);
    await subscriptions.add([tag, other, tag], holder("a"), LATER);
    expect(await names(subscriptions, tag, NOW + 2_000)).toEqual(["a"]);
    expect(await names(subscriptions, other)).toEqual(["a"]);
  });

  test("holds a connection under more tags than one call may write", async () => {
    const subscriptions = open();
    // A batch has at most 25.
    const tags = Array.from({ length: 30 }, aTag);
    const found = () => Promise.all(tags.map((tag) => names(subscriptions, tag)));
    await subscriptions.add(tags, holder("a"), LATER);
    expect(await found()).toEqual(tags.map(() => ["a"]));
    await subscriptions.remove(tags, holder("a"));
    expect(await found()).toEqual(tags.map(() => []));
  });

  test("an id that comes back is the new connection, in every list", async () => {
    const subscriptions = open();
    const [tag, other] = [aTag(), aTag()];
    await subscriptions.add([tag, other], holder("a"), LATER);
    const { rows: old } = await subscriptions.page(tag, all);
    await subscriptions.add([tag, other], holder("a", NOW + 1), LATER);
    const { rows } = await subscriptions.page(tag, all);
    expect(rows).toEqual([{ key: sortKey("a"), ...holder("a", NOW + 1) }]);
    expect((await subscriptions.filterHolders(other, old, NOW)).size).toBe(0);
    expect((await subscriptions.filterHolders(other, rows, NOW)).size).toBe(1);
  });

  test("asks about more rows than one call may name, and about none that have expired", async () => {
    const subscriptions = open();
    const [tag, other] = [aTag(), aTag()];
    const ids = Array.from({ length: 105 }, (_, i) => `m${i}`);
    const adds = ids.map(async (id, i) => {
      await subscriptions.add([tag], holder(id), LATER);
      await subscriptions.add([other], holder(id), i % 2 ? LATER : NOW);
    });
    await Promise.all(adds);
    const { rows } = await subscriptions.page(tag, { ...all, limit: 200 });
    const odd = ids.filter((_, i) => i % 2).map(sortKey);
    expect([...(await subscriptions.filterHolders(other, rows, NOW))].toSorted()).toEqual(odd.toSorted());
  });
}
