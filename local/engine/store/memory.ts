import { setImmediate as turn } from "node:timers/promises";
import { checked } from "./check.ts";
import { SortedMap } from "./sorted-map.ts";
import { type Change, type Keys, type Store, TABLES, type Table } from "./types.ts";

interface Kept {
  readonly value: string;
  readonly expiresAt: number | undefined;
}

/** Rows that are looked at before other work has its turn. */
const PART = 5_000;

const DONE = Promise.resolve();

/** A store that ends with the process. Every write is kept at once. */
export function memoryStore(): Store {
  const tables = Object.fromEntries(TABLES.map((table) => [table, new SortedMap<Kept>()])) as Record<
    Table,
    SortedMap<Kept>
  >;
  const apply = (changes: readonly Change[]): void => {
    for (const { table, key, value, expiresAt } of checked(changes)) {
      if (value === undefined) tables[table].delete(key);
      else tables[table].set(key, { value, expiresAt });
    }
  };
  const range = <T extends Table>(table: T, { from, to, limit, isReversed }: Parameters<Store["range"]>[1]) =>
    tables[table].keys(from, to, limit, isReversed).map((key) => ({
      key: key as Keys[T],
      value: tables[table].get(key)?.value ?? "",
    }));
  return {
    get: (table, key) => tables[table].get(key)?.value,
    range,
    count: (table) =>
      [...tables[table].entries()].filter(([, { expiresAt }]) => expiresAt !== undefined).length,
    rangeOnDisk: async (table, query) => range(table, query),
    async write(changes) {
      apply(changes);
    },
    writeLater: apply,
    flushed: () => DONE,
    async expire(now) {
      let looked = 0;
      for (const table of TABLES)
        for (const [key, { expiresAt }] of tables[table].entries()) {
          if (expiresAt !== undefined && expiresAt < now) tables[table].delete(key);
          if (++looked % PART === 0) await turn();
        }
    },
    async backUp() {
      throw new Error("there is nothing to back up: the store has no folder");
    },
    close: () => DONE,
  };
}
