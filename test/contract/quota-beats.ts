import { expect, test } from "vitest";
import type { QuotaBeats, QuotaEntry } from "../../shared/ports.ts";

const anEntry = (id: string, count = 1, fields: Partial<QuotaEntry> = {}): QuotaEntry => ({
  ...{ id, count, sendsPerSecond: 388, claimedPerSecond: 400, weight: 4, isWaiting: true },
  ...fields,
});
const sorted = (entries: readonly QuotaEntry[]) => entries.toSorted((a, b) => (a.id < b.id ? -1 : 1));

/** What every QuotaBeats owes its callers. `open` returns the beats of a new quota each time, by many containers. */
export function quotaBeatsContract(open: () => () => QuotaBeats): void {
  const all = async (beats: QuotaBeats) => sorted((await beats.read()).entries);

  test("has no entries of a quota that nobody used", async () => {
    const beats = open()();
    expect(await all(beats)).toEqual([]);
  });

  test("a beat is answered with every entry, its own included, as they were written", async () => {
    const container = open();
    const [a, b] = [container(), container()];
    const first = anEntry("a-1", 1, { at: 1_790_000_000_000, isWaiting: false });
    const second = anEntry("b-2", 7, { sendsPerSecond: 0, claimedPerSecond: 1_000_000, weight: 16 });
    expect((await a.beat(first)).entries).toEqual([first]);
    expect(sorted((await b.beat(second)).entries)).toEqual([first, second]);
    expect(await all(a)).toEqual([first, second]);
  });

  test("a beat takes the place of the container's last one, whatever that was, and of no other", async () => {
    const beats = open()();
    await beats.beat(anEntry("a", 5, { at: 1_790_000_000_000 }));
    await beats.beat(anEntry("b", 5));
    const { entries } = await beats.beat(anEntry("a", 6, { sendsPerSecond: 1 }));
    expect(sorted(entries)).toEqual([anEntry("a", 6, { sendsPerSecond: 1 }), anEntry("b", 5)]);
  });

  test("beats at the same time lose none of each other", async () => {
    const container = open();
    const ids = Array.from({ length: 28 }, (_, i) => `c-${10 + i}`);
    const answers = await Promise.all(ids.map((id) => container().beat(anEntry(id))));
    expect((await all(container())).map(({ id }) => id)).toEqual(ids);
    const sizes = answers.map(({ entries }) => entries.length);
    expect(Math.max(...sizes)).toBe(28);
  });

  test("removes the entry of a container that stopped, and not one whose count moved", async () => {
    const beats = open()();
    await beats.beat(anEntry("a", 3));
    await beats.beat(anEntry("b", 3));
    await beats.remove({ id: "a", count: 2 });
    expect(await all(beats)).toEqual([anEntry("a", 3), anEntry("b", 3)]);
    await beats.remove({ id: "a", count: 3 });
    await beats.remove({ id: "a", count: 3 });
    await beats.remove({ id: "unknown", count: 1 });
    expect(await all(beats)).toEqual([anEntry("b", 3)]);
  });

  test("quotas with different names have nothing in common", async () => {
    const [one, other] = [open()(), open()()];
    await one.beat(anEntry("a"));
    expect(await all(other)).toEqual([]);
  });

  test("tells its own time, to the second", async () => {
    const { at } = await open()().beat(anEntry("a"));
    expect(Math.abs((at ?? 0) - Date.now())).toBeLessThan(60_000);
  });
}
