import { expect, test } from "vitest";
import { sortKey, WHOLE } from "../../shared/domain/hash-range.ts";
import type { ConnectionId, Tag } from "../../shared/domain/tag.ts";
import type { Subscriptions } from "../../shared/ports.ts";

const NOW = Date.parse("2026-01-01T00:00:00Z");
const LATER = NOW + 7_200_000;

/** What every Subscriptions owes its callers, whatever it is made of. */
export function subscriptionsContract(open: () => Subscriptions): void {
  let count = 0;
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
    expect([...(await subscriptions.among(other, rows, NOW))]).toEqual([sortKey("b")]);
    expect((await subscriptions.among(other, [], NOW)).size).toBe(0);
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
}
