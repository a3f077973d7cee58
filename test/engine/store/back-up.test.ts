import { chmodSync, cpSync, existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { openStore } from "../../../local/engine/store/store.ts";
import { temporary } from "./temporary.ts";

const ALL = { from: 0, to: 1e9, limit: 1e9 };
const entry = (key: number) => ({ table: "entries" as const, key, value: `entry ${key}` });

test("a backup that is taken while the store is used is a store of that moment", async () => {
  const store = await openStore({ folder: temporary() });
  await store.write(Array.from({ length: 3_000 }, (_, key) => entry(key)));
  store.writeLater([entry(3_000)]);
  const folder = temporary();
  const path = join(folder, "store.db");
  let isDone = false;
  const backUp = store.backUp(path).finally(() => {
    isDone = true;
  });
  let key = 3_001;
  for (; !isDone; key++) await store.write([entry(key)]);
  await backUp;
  expect(key, "writes went on meanwhile").toBeGreaterThan(3_001);
  await store.close();

  const copy = await openStore({ folder });
  const keys = copy.range("entries", ALL).map((row) => row.key);
  expect(keys).toEqual(keys.map((_, at) => at));
  expect(keys.length).toBeGreaterThan(3_000);
  await copy.close();
});

// Windows has no such bits.
test.skipIf(process.platform === "win32")(
  "only their owner reads payloads, in a folder of others too",
  async () => {
    const folder = temporary();
    chmodSync(folder, 0o755);
    const store = await openStore({ folder });
    await store.write([entry(1)]);
    await store.backUp(join(folder, ".backup"));
    const names = readdirSync(folder).filter((name) => statSync(join(folder, name)).size > 512);
    expect(names.toSorted()).toEqual([".backup", "store.db", "store.db-shm", "store.db-wal"]);
    for (const name of names) expect([name, statSync(join(folder, name)).mode & 0o077]).toEqual([name, 0]);
    await store.close();
  },
);

test("a backup has what nobody waits for too, if it was written before", async () => {
  // Nothing else sends it to the disk meanwhile.
  vi.useFakeTimers({ toFake: ["setTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const store = await openStore({ folder: temporary() });
  store.writeLater([entry(1)]);
  const folder = temporary();
  await store.backUp(join(folder, "store.db"));
  await store.close();

  const copy = await openStore({ folder });
  expect(copy.range("entries", ALL)).toEqual([{ key: 1, value: "entry 1" }]);
  await copy.close();
});

test("a backup overwrites nothing, and leaves nothing half done", async () => {
  const folder = temporary();
  const store = await openStore({ folder });
  const taken = join(temporary(), "taken");
  writeFileSync(taken, "mine");
  await expect(store.backUp(taken)).rejects.toThrow(`${taken} is there already`);
  const nowhere = join(temporary(), "none", "copy");
  await expect(store.backUp(nowhere)).rejects.toThrow(nowhere);
  expect(existsSync(nowhere)).toBe(false);
  await store.close();
  // A folder with the file alone is what a backup is restored to.
  const restored = temporary();
  cpSync(join(folder, "store.db"), join(restored, "store.db"));
  await (await openStore({ folder: restored })).close();
});
