import { expect, test } from "vitest";
import { createDatabase, filesOf } from "../../../local/engine/store/folder.ts";
import { lock } from "../../../local/engine/store/lock.ts";
import { openStore } from "../../../local/engine/store/store.ts";
import { Writer } from "../../../local/engine/store/writer.ts";
import { temporary } from "./temporary.ts";

test("a group that is on the disk is not refused because its number finds no room", async () => {
  const folder = temporary();
  createDatabase(folder);
  const lastGroup = {
    number: 0,
    write() {
      throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
    },
    close() {},
  };
  const writer = new Writer(folder, lock(folder, filesOf(folder).lock), lastGroup);
  writer.commit(["entries", 1, "first", null]);
  writer.commit(["entries", 2, "second", null]);
  writer.close();
  const store = await openStore({ folder });
  expect(store.range("entries", { from: 0, to: 9, limit: 9 })).toEqual([
    { key: 1, value: "first" },
    { key: 2, value: "second" },
  ]);
  await store.close();
});
