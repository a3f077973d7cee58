import type { Value } from "./driver.ts";
import type { Change, Table } from "./types.ts";

/** Changes as a flat list, four values each, which is cheap to send to a thread. */
export type Rows = readonly Value[];

/** One of them. Without a value the row is deleted. */
type SentChange = readonly [
  table: Table,
  key: number | string,
  value: string | null,
  expiresAt: number | null,
];

export function pack(changes: Iterable<Change>): Rows {
  const rows: Value[] = [];
  for (const { table, key, value = null, expiresAt = null } of changes)
    rows.push(table, key, value, expiresAt);
  return rows;
}

export function* unpack(rows: Rows): Generator<SentChange> {
  for (let at = 0; at < rows.length; at += 4) yield rows.slice(at, at + 4) as unknown as SentChange;
}
