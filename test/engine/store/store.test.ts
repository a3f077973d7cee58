import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { expect, test } from "vitest";
import { openStore, type Store } from "../../../local/engine/store/store.ts";
import { COMMANDS, type Command, expectSame, Model } from "./model.ts";
import { temporary } from "./temporary.ts";

/** Does the commands to a store and to the model, and compares them after each. */
async function follow(commands: readonly Command[], open: () => Promise<Store>): Promise<void> {
  let store = await open();
  const model = new Model();
  for (const command of commands) {
    if (command.kind === "write" || command.kind === "writeLater") {
      model.apply(command.changes);
      void store[command.kind](command.changes);
    } else if (command.kind === "expire") {
      model.expire(command.now);
      await store.expire(command.now);
    } else if (command.kind === "flushed") await store.flushed();
    else if (command.kind === "reopen") {
      await store.close();
      store = await open();
    }
    expectSame(store, model);
  }
  await store.close();
}

test("a store in memory holds what was written, in order", async () => {
  const steps = COMMANDS.map((commands) => commands.filter(({ kind }) => kind !== "reopen"));
  await fc.assert(
    fc.asyncProperty(steps, (commands) => follow(commands, openStore)),
    { numRuns: 100 },
  );
});

test("a store in a folder holds what was written, in order, on the disk or not yet", async () => {
  await fc.assert(
    fc.asyncProperty(COMMANDS, async (commands) => {
      const folder = temporary();
      await follow(commands, () => openStore({ folder }));
    }),
    { numRuns: 20 },
  );
});

test("each group of changes is told of before it goes to the disk, also one that waited for another", async () => {
  const folder = temporary();
  let told = 0;
  const beforeCommit = () => {
    told += 1;
  };
  const store = await openStore({ folder, beforeCommit });
  const write = (key: number) => store.write([{ table: "entries", key, value: "one" }]);
  await write(1);
  expect(told).toBe(1);
  const second = write(2);
  await turn();
  await Promise.all([second, write(3)]);
  expect(told).toBe(3);
  await store.close();
});

test("a long table keeps its order while rows come and go", async () => {
  const store = await openStore();
  const keys = Array.from({ length: 4_000 }, (_, at) => (at * 1_999) % 4_000);
  for (const key of keys) void store.write([{ table: "entries", key, value: `${key}` }]);
  for (const key of keys) if (key % 3 !== 0) store.writeLater([{ table: "entries", key }]);
  const left = keys.filter((key) => key % 3 === 0).sort((a, b) => a - b);
  const all = { from: 0, to: 4_000, limit: 4_000 };
  expect(store.range("entries", all).map(({ key }) => key)).toEqual(left);
  expect(store.range("entries", { ...all, isReversed: true }).map(({ key }) => key)).toEqual(
    left.toReversed(),
  );
});

test.each([
  { what: "a fraction", change: { table: "entries" as const, key: 1.5, value: "" } },
  { what: "a U+0000 in a key", change: { table: "receipts" as const, key: "a\0b", value: "" } },
  { what: "a lone surrogate", change: { table: "receipts" as const, key: "\uD800", value: "" } },
  { what: "a U+0000 in a value", change: { table: "receipts" as const, key: "a", value: "\0" } },
])("$what is refused, since SQLite would change it", async ({ change }) => {
  const store = await openStore();
  await expect(store.write([change])).rejects.toThrow(RangeError);
  expect(() => store.writeLater([change])).toThrow(RangeError);
});
