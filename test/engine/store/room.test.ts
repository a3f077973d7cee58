import { expect, test } from "vitest";
import { openStore } from "../../../local/engine/store/store.ts";
import { temporary } from "./temporary.ts";

test("in a full store the rows that go make room for those that come with them", async () => {
  const store = await openStore({ folder: temporary(), maxBytes: 1_000_000 });
  let key = 0;
  const fill = async (bytes: number) => {
    for (; ; key++) await store.write([{ table: "entries", key, value: "x".repeat(bytes) }]);
  };
  await expect(fill(60_000)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  await expect(fill(1_000)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  const outcomes = Array.from({ length: 100 }, (_, n) => `m-${n}`);
  for (const outcome of outcomes)
    store.writeLater([{ table: "receipts", key: outcome, value: "y".repeat(400) }]);
  await expect(store.flushed()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  store.writeLater([0, 1, 2].map((gone) => ({ table: "entries", key: gone })));
  await store.flushed();
  expect(store.range("receipts", { from: "", to: "~", limit: 1_000 })).toHaveLength(100);
  expect(store.get("entries", 0)).toBeUndefined();
  await store.write([{ table: "entries", key: 0, value: "x".repeat(60_000) }]);
  await store.close();
});
