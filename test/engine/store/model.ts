import fc from "fast-check";
import { expect } from "vitest";
import type { Change, Keys, Row, Store, Table } from "../../../local/engine/store/store.ts";

/** What a store should hold: sorted by the bytes of the keys, whatever the store does. */
export class Model {
  readonly rows = new Map<
    string,
    { table: Table; key: number | string; value: string; expiresAt?: number }
  >();

  apply(changes: readonly Change[]): void {
    for (const { value, ...change } of changes) {
      const name = `${change.table}/${change.key}`;
      if (value === undefined) this.rows.delete(name);
      else this.rows.set(name, { ...change, value });
    }
  }

  expire(now: number): void {
    for (const [name, { expiresAt = Infinity }] of this.rows) if (expiresAt < now) this.rows.delete(name);
  }

  /** How many rows of a table may expire. */
  expiring(table: Table): number {
    const rows = [...this.rows.values()];
    return rows.filter((row) => row.table === table && row.expiresAt !== undefined).length;
  }

  list(table: Table): Row<number | string>[] {
    return [...this.rows.values()]
      .filter((row) => row.table === table)
      .map(({ key, value }) => ({ key, value }))
      .sort((a, b) => byBytes(a.key, b.key));
  }
}

export const byBytes = (a: number | string, b: number | string): number =>
  typeof a === "number" ? a - Number(b) : Buffer.compare(Buffer.from(a), Buffer.from(String(b)));

const INTEGERS = fc.oneof(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 1.7e12, max: 1.7e12 + 5 }));
const TEXTS = fc.oneof(
  fc.constantFrom("", "a", "a/", "a/1", "a/10", "a/2", "b", "é", "\uE000", "\uFFFD", "\u{1F600}"),
  fc.string({ unit: "binary", maxLength: 4 }).filter((text) => !text.includes("\0")),
);

const keyOf = (table: Table): fc.Arbitrary<number | string> =>
  table === "entries" || table === "dead-letters" ? INTEGERS : TEXTS;
const TABLE = fc.constantFrom<Table>("entries", "dead-letters", "receipts", "streams");

const CHANGE: fc.Arbitrary<Change> = TABLE.chain((table) =>
  fc.record(
    {
      table: fc.constant(table),
      key: keyOf(table),
      value: fc.oneof(fc.string({ maxLength: 9 }), fc.constant("long".repeat(3_000))).map(clean),
      expiresAt: fc.integer({ min: 1, max: 20 }),
    },
    { requiredKeys: ["table", "key"] },
  ),
) as fc.Arbitrary<Change>;

function clean(value: string): string {
  return value.replaceAll("\0", "");
}

export type Command =
  | { readonly kind: "write" | "writeLater"; readonly changes: readonly Change[] }
  | { readonly kind: "flushed" | "reopen" }
  | { readonly kind: "expire"; readonly now: number };

/** What may happen to a store, in any order. */
export const COMMANDS: fc.Arbitrary<Command[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant("write" as const), changes: group() }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("writeLater" as const), changes: group() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("flushed" as const, "reopen" as const) }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant("expire" as const), now: fc.integer({ min: 0, max: 22 }) }),
    },
  ),
  { maxLength: 30 },
);

function group(): fc.Arbitrary<Change[]> {
  return fc.array(CHANGE, { maxLength: 6 });
}

/** Sorts after every key: each has fewer characters. */
const AFTER_ALL = "\u{10FFFF}".repeat(5);

/** Fails unless the store holds what the model does, by each way of reading. */
export function expectSame(store: Store, model: Model): void {
  for (const table of ["entries", "dead-letters", "receipts", "streams"] as const) {
    const rows = model.list(table);
    const [from, to] = (
      table === "entries" || table === "dead-letters" ? [0, Number.MAX_SAFE_INTEGER] : ["", AFTER_ALL]
    ) as [Keys[typeof table], Keys[typeof table]];
    expect(store.range(table, { from, to, limit: 1_000 })).toEqual(rows);
    expect(store.count(table)).toBe(model.expiring(table));
    for (const { key, value } of rows) expect(store.get(table, key as never)).toBe(value);
    const middle = rows[rows.length >> 1];
    if (middle === undefined) continue;
    const { key } = middle as Row<never>;
    const before = rows.filter((row) => byBytes(row.key, key) < 0);
    const after = rows.slice(before.length);
    expect(store.range(table, { from, to: key, limit: 3, isReversed: true })).toEqual(
      before.toReversed().slice(0, 3),
    );
    expect(store.range(table, { from: key, to, limit: 2 })).toEqual(after.slice(0, 2));
  }
}
