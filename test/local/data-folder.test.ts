import { createHash } from "node:crypto";
import { chmodSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openStore } from "../../local/engine/store/store.ts";
import { boundUser } from "../engine/store/bound-user.ts";
import { temporary } from "../engine/store/temporary.ts";
import { buildRouters, programOf, startRouter } from "./crash/router.ts";

/* What `npm start` says of a data folder that it cannot use. */

buildRouters();

/** A folder in which 200 messages wait. */
async function used(): Promise<string> {
  const folder = temporary();
  const store = await openStore({ folder });
  await store.write(
    Array.from({ length: 200 }, (_, key) => ({
      ...({ table: "entries", key } as const),
      value: `["normal","ann",1,1,0]\n{"n":${key},"filling":"${"x".repeat(500)}"}`,
    })),
  );
  await store.close();
  return folder;
}

/** What is in the files, but for the lock and SQLite's index of the log, which say nothing. */
const contentOf = (folder: string) =>
  Object.fromEntries(
    readdirSync(folder)
      .filter((name) => name !== "lock" && name !== "store.db-shm")
      .map((name) => [name, sha256(readFileSync(join(folder, name)))]),
  );

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

function overwrite(path: string, at: number, bytes: readonly number[]): void {
  const content = readFileSync(path);
  content.set(bytes, at);
  writeFileSync(path, content);
}

async function refusal(folder: string, user: ReturnType<typeof boundUser> = {}): Promise<string> {
  const before = user.uid === undefined ? contentOf(folder) : {};
  const router = startRouter("main", { TAGWIRE_DATA: folder, PORT: "0" }, user);
  expect(await router.ended).toBe(1);
  expect(router.output()).toBe("");
  if (user.uid === undefined) expect(contentOf(folder)).toEqual(before);
  return router.errors();
}

interface Case {
  readonly why: string;
  readonly spoil: (folder: string) => void;
  readonly says: RegExp;
}

test.each<Case>([
  {
    why: "its file is of a newer version",
    spoil: (folder) => overwrite(join(folder, "store.db"), 60, [0, 0, 0, 9]),
    says: /^tagwire: STORE_NEWER: \S+store\.db has version 9, and this Tagwire reads up to 1; install the newer Tagwire again\n$/,
  },
  {
    why: "its file is another program's",
    spoil: (folder) => writeFileSync(join(folder, "store.db"), "a diary ".repeat(1_000)),
    says: /^tagwire: STORE_FOREIGN: \S+store\.db is not a file of Tagwire, .*; name another folder, or restore a backup\n$/,
  },
  {
    why: "a row is damaged",
    spoil: (folder) => {
      const path = join(folder, "store.db");
      // SQLite may have left an old copy of the row beside it.
      const content = readFileSync(path, "latin1");
      writeFileSync(path, content.replaceAll('{"n":150,', '{"n":151,'), "latin1");
    },
    says: /^tagwire: STORE_DAMAGED: the data in \S+ is damaged: .*; restore a backup, or move the folder away to start anew\n$/,
  },
  {
    why: "half of its file is gone",
    spoil: (folder) => truncateSync(join(folder, "store.db"), 40_960),
    says: /^tagwire: STORE_DAMAGED: the data in \S+ is damaged: .*; restore a backup, or move the folder away to start anew\n$/,
  },
])("a data folder is refused in one line, and left as it is, if $why", async ({ spoil, says }) => {
  const folder = await used();
  spoil(folder);
  expect(await refusal(folder)).toMatch(says);
});

test("a folder that holds something else is refused, and left as it is", async () => {
  const folder = temporary();
  writeFileSync(join(folder, "diary.txt"), "Dear diary");
  expect(await refusal(folder)).toMatch(
    /^tagwire: STORE_FOREIGN: \S+ holds diary\.txt and no data of Tagwire; name an empty folder\n$/,
  );
});

test("a file in the place of the folder is refused", async () => {
  const path = join(temporary(), "file");
  writeFileSync(path, "Dear diary");
  const router = startRouter("main", { TAGWIRE_DATA: path, PORT: "0" });
  expect(await router.ended).toBe(1);
  expect(router.errors()).toMatch(/^tagwire: STORE_FOREIGN: \S+ is not a folder \(.*\)\n$/);
  expect(readFileSync(path, "utf8")).toBe("Dear diary");
});

test("a folder that cannot be written is refused", async ({ skip }) => {
  const user = boundUser(programOf("main")) ?? skip("nobody may not run this");
  const folder = await used();
  chmodSync(folder, 0o555);
  const before = contentOf(folder);
  if (user.uid !== undefined) for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o444);
  expect(await refusal(folder, user)).toMatch(
    /^tagwire: STORE_READ_ONLY: \S+ cannot be written by this user \(.*\)\n$/,
  );
  expect(contentOf(folder)).toEqual(before);
});

test("a second process on the folder is refused, and the first one goes on", async () => {
  const TAGWIRE_DATA = await used();
  const first = startRouter("main", { TAGWIRE_DATA, PORT: "0" });
  const url = await first.ready;
  const second = startRouter("main", { TAGWIRE_DATA, PORT: "0" });
  expect(await second.ended).toBe(1);
  expect(second.errors()).toMatch(
    /^tagwire: STORE_IN_USE: \S+ is used by another process; end that one, or name another folder\n$/,
  );
  expect((await fetch(`${url}/health`)).status).toBe(200);
  await first.kill();
  const third = startRouter("main", { TAGWIRE_DATA, PORT: "0" });
  await third.ready;
  await third.kill();
});
