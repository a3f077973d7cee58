import { statSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { openStore, type Store } from "../../../local/engine/store/store.ts";

import { temporary } from "./temporary.ts";

const VALUE = "x".repeat(3_000);
const entry = (key: number) => ({ table: "entries" as const, key, value: VALUE });
const ALL = { from: 0, to: 1e9, limit: 1e9 };
const keys = (store: Store) => store.range("entries", ALL).map(({ key }) => key);

/** Writes entries until one is refused. Returns how many were kept. */
async function fill(store: Store): Promise<number> {
  for (let key = 0; ; key++) {
    const fault = await store.write([entry(key)]).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (fault === undefined) continue;
    expect(fault).toMatchObject({ code: "STORE_UNAVAILABLE", message: expect.stringMatching(/SQLITE_FULL/) });
    return key;
  }
}

test("a full disk refuses writes, loses nothing, and is used again once there is room", async () => {
  const folder = temporary();
  const store = await openStore({ folder, maxBytes: 400_000 });
  const count = await fill(store);
  const kept = Array.from({ length: count }, (_, key) => key);
  expect(count).toBeGreaterThan(50);
  expect(keys(store)).toEqual(kept);

  const refused = [
    store.write([entry(count)]),
    store.write([entry(count + 1), { table: "entries", key: 0 }]),
  ];
  store.writeLater([{ table: "receipts", key: "later", value: VALUE.repeat(2) }]);
  expect(await Promise.allSettled(refused)).toMatchObject([
    { status: "rejected", reason: { code: "STORE_UNAVAILABLE" } },
    { status: "rejected", reason: { code: "STORE_UNAVAILABLE" } },
  ]);
  expect(keys(store), "nothing of a refused group is left").toEqual(kept);
  expect(store.get("receipts", "later"), "what nobody waits for is kept").toHaveLength(6_000);

  store.writeLater([10, 11, 12, 13].map((key) => ({ table: "entries" as const, key })));
  await store.flushed();
  await store.write([entry(10)]);
  await store.close();

  const again = await openStore({ folder });
  expect(keys(again)).toEqual(kept.filter((key) => key < 11 || key > 13));
  expect(again.get("receipts", "later")).toHaveLength(6_000);
  await again.close();
});

test("on a full disk rows are read as they are on it", async () => {
  const store = await openStore({ folder: temporary(), maxBytes: 400_000 });
  await store.write([{ table: "receipts", key: "a", value: "kept" }]);
  await fill(store);
  store.writeLater([{ table: "receipts", key: "a", value: VALUE.repeat(9) }]);
  const read = async (to: string) =>
    (await store.rangeOnDisk("receipts", { from: "a", to, limit: 9 })).map(({ value }) => value);
  expect(await read("b")).toEqual(["kept"]);
  store.writeLater([10, 11, 12, 13, 14, 15, 16, 17].map((key) => ({ table: "entries" as const, key })));
  expect(await read("b")).toEqual([VALUE.repeat(9)]);
  await store.close();
});

test("of two changes of one row in a refused group, the one that nobody waits for is kept", async () => {
  const store = await openStore({ folder: temporary(), maxBytes: 400_000 });
  const count = await fill(store);
  store.writeLater([{ table: "receipts", key: "a", value: "later" }]);
  const refused = store.write([{ table: "receipts", key: "a", value: "refused" }, entry(count)]);
  expect(store.get("receipts", "a")).toBe("refused");
  await expect(refused).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  expect(store.get("receipts", "a")).toBe("later");
  await store.flushed();
  expect(store.get("receipts", "a")).toBe("later");
  await store.close();
});

test("on a full disk rows that have expired make room for what waits", async () => {
  const store = await openStore({ folder: temporary(), maxBytes: 400_000 });
  await store.write(Array.from({ length: 20 }, (_, key) => ({ ...entry(1e6 + key), expiresAt: 10 })));
  const count = await fill(store);
  const later = { table: "receipts", key: "later", value: VALUE.repeat(2) } as const;
  store.writeLater([later]);
  await expect(store.flushed()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  await store.expire(11);
  await store.write([entry(count)]);
  await store.flushed();
  expect(await store.rangeOnDisk("receipts", { from: "later", to: "m", limit: 1 })).toEqual([
    { key: "later", value: later.value },
  ]);
  await store.close();
});

test("the room of deleted rows is given back", async () => {
  const folder = temporary();
  const store = await openStore({ folder });
  const rows = Array.from({ length: 1_500 }, (_, key) => ({
    ...entry(key),
    expiresAt: key < 1_400 ? 10 : 20,
  }));
  await store.write(rows);
  const size = () => bytesOf(folder);
  await store.expire(5);
  const before = size();
  await store.expire(11);
  expect(keys(store)).toEqual(rows.slice(1_400).map(({ key }) => key));
  await store.close();
  expect(size()).toBeLessThan(before / 2);
});

const bytesOf = (folder: string): number =>
  ["store.db", "store.db-wal"].reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);

test("a store that is closed while the disk is full tries nothing again", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const store = await openStore({ folder: temporary(), maxBytes: 200_000 });
  store.writeLater([{ table: "receipts", key: "a", value: VALUE.repeat(100) }]);
  await expect(store.flushed()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  expect(vi.getTimerCount()).toBe(1);
  await expect(store.close()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  expect(vi.getTimerCount()).toBe(0);
});
