import { cpSync, existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { connect } from "../../../local/engine/store/driver.ts";
import { openStore, type Store } from "../../../local/engine/store/store.ts";
import { connectToWrite } from "../../../local/engine/store/writer.ts";
import { expectSame, Model } from "./model.ts";
import { temporary } from "./temporary.ts";

const model = new Model();
/** What a store leaves when it is closed, and what the end of a process leaves: its rows are in the log. */
const closed = temporary();
const ended = temporary();

beforeAll(async () => {
  const folder = temporary();
  const write = async (store: Store, from: number, to: number) => {
    for (let key = from; key < to; key++) {
      const changes = [
        { table: "entries", key, value: `entry ${key} ${"x".repeat(key * 40)}` },
        { table: "receipts", key: `receipt ${key}`, value: `${key}`, expiresAt: 2e12 + key },
      ] as const;
      model.apply(changes);
      await store.write(changes);
    }
  };
  const store = await openStore({ folder });
  await write(store, 0, 20);
  await store.close();
  copy(folder, closed);
  const again = await openStore({ folder });
  await write(again, 20, 40);
  copy(folder, ended);
  await again.close();
});

/** All but what SQLite makes anew, into another folder: SQLite knows the files that this process has opened. */
function copy(from: string, to: string): string {
  for (const name of readdirSync(from))
    if (!/lock|-shm$/.test(name)) cpSync(join(from, name), join(to, name));
  return to;
}

const contents = (folder: string): readonly Buffer[] =>
  ["store.db", "store.db-wal", "last-group"].map((name) =>
    existsSync(join(folder, name)) ? readFileSync(join(folder, name)) : Buffer.alloc(0),
  );

/** Returns the code of the fault that opening met; undefined if the store holds all that it should. */
async function opened(folder: string, expected = model): Promise<string | undefined> {
  const before = contents(folder);
  try {
    const store = await openStore({ folder });
    expectSame(store, expected);
    await store.close();
    return undefined;
  } catch (fault) {
    const { code = fault, message } = fault as { code?: string; message: string };
    expect(message).toContain(folder);
    expect(contents(folder).map((file, at) => before[at]?.equals(file))).toEqual([true, true, true]);
    return code as string;
  }
}

const CODES = [undefined, "STORE_DAMAGED", "STORE_FOREIGN"];
const RUNS = { numRuns: 40 };
const FILE = fc.constantFrom("store.db", "store.db-wal");

test("the two folders are whole as they are", async () => {
  expect(readFileSync(join(ended, "store.db-wal")).length).toBeGreaterThan(40 * 4_096);
  expect(await opened(copy(ended, temporary()))).toBeUndefined();
});

test("a byte that has changed is found, or changes nothing that is read", async () => {
  await fc.assert(
    fc.asyncProperty(
      FILE,
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      fc.integer({ min: 1, max: 255 }),
      async (name, place, flip) => {
        const folder = copy(ended, temporary());
        const file = readFileSync(join(folder, name));
        const at = Math.floor(place * file.length);
        file[at] = (file[at] ?? 0) ^ flip;
        writeFileSync(join(folder, name), file);
        expect(CODES).toContain(await opened(folder));
      },
    ),
    RUNS,
  );
});

test("a byte of the main file alone that has changed is found, or changes nothing that is read", async () => {
  const first = new Model();
  for (const [name, row] of model.rows) if (Number(/\d+$/.exec(name)) < 20) first.rows.set(name, row);
  expect(await opened(copy(closed, temporary()), first)).toBeUndefined();
  await fc.assert(
    fc.asyncProperty(
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      fc.integer({ min: 1, max: 255 }),
      async (place, flip) => {
        const folder = copy(closed, temporary());
        const file = readFileSync(join(folder, "store.db"));
        const at = Math.floor(place * file.length);
        file[at] = (file[at] ?? 0) ^ flip;
        writeFileSync(join(folder, "store.db"), file);
        expect(CODES).toContain(await opened(folder, first));
      },
    ),
    RUNS,
  );
});

test("a file that was cut is found, or was cut where nothing is", async () => {
  await fc.assert(
    fc.asyncProperty(FILE, fc.double({ min: 0, max: 0.999, noNaN: true }), async (name, place) => {
      const folder = copy(ended, temporary());
      const path = join(folder, name);
      truncateSync(path, Math.floor(readFileSync(path).length * place));
      expect(CODES).toContain(await opened(folder));
    }),
    RUNS,
  );
});

test.each(["store.db", "store.db-wal"])("%s that is gone is found", async (name) => {
  const folder = copy(ended, temporary());
  rmSync(join(folder, name));
  expect(await opened(folder)).toBe("STORE_DAMAGED");
});

test("a damaged number of the last group is found, and one that is gone is made anew", async () => {
  const folder = copy(ended, temporary());
  writeFileSync(
    join(folder, "last-group"),
    readFileSync(join(folder, "last-group"), "utf8").replace("0", "1"),
  );
  expect(await opened(folder)).toBe("STORE_DAMAGED");
  rmSync(join(folder, "last-group"));
  expect(await opened(folder)).toBeUndefined();
});

test("what is not ours, or of a newer version, is left alone", async () => {
  const text = temporary();
  writeFileSync(join(text, "store.db"), "a text\n".repeat(100));
  expect(await opened(text)).toBe("STORE_FOREIGN");

  const other = temporary();
  connect(join(other, "store.db")).exec("CREATE TABLE theirs (key)");
  expect(await opened(other)).toBe("STORE_FOREIGN");

  const photos = temporary();
  writeFileSync(join(photos, "photo.jpg"), "");
  expect(await opened(photos)).toBe("STORE_FOREIGN");
  expect(await opened(join(photos, "photo.jpg"))).toBe("STORE_FOREIGN");
  expect(readdirSync(photos)).toEqual(["photo.jpg"]);

  const newer = copy(closed, temporary());
  const file = readFileSync(join(newer, "store.db"));
  file.writeUInt32BE(2, 60);
  writeFileSync(join(newer, "store.db"), file);
  expect(await opened(newer)).toBe("STORE_NEWER");
});

test("a commit returns after the log has reached the disk", () => {
  const connection = connectToWrite(join(temporary(), "any.db"));
  expect(connection.query("PRAGMA synchronous").first()).toEqual([2]);
  expect(connection.query("PRAGMA journal_mode").first()).toEqual(["wal"]);
});
