import { execFileSync } from "node:child_process";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { openStore } from "../../../local/engine/store/store.ts";
import { boundUser } from "./bound-user.ts";
import { build, built } from "./process.ts";
import { temporary } from "./temporary.ts";

beforeAll(() => build("opening"));

const PROGRAM = join(built, "opening.mjs");

const open = (folder: string, user = {}): string =>
  execFileSync(process.execPath, [PROGRAM, folder], { encoding: "utf8", ...user });

test("a folder is used by one process at a time, and by one store of it", async () => {
  const folder = temporary();
  const store = await openStore({ folder });
  await store.write([{ table: "entries", key: 1, value: "kept" }]);
  expect(open(folder)).toMatch(/^STORE_IN_USE .*used by another process/);
  await expect(openStore({ folder })).rejects.toMatchObject({ code: "STORE_IN_USE" });
  expect(store.get("entries", 1)).toBe("kept");
  await store.write([{ table: "entries", key: 2, value: "kept too" }]);
  await store.close();
  expect(open(folder)).toBe("opened\n");
});

test("a folder that cannot be written is refused", ({ skip }) => {
  const user = boundUser(PROGRAM) ?? skip("nobody may not run this");
  const folder = temporary();
  chmodSync(folder, 0o555);
  expect(open(folder, user)).toMatch(/^STORE_READ_ONLY /);
});
