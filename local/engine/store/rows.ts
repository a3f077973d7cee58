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

/** Packs changes of different rows; their order does not matter. Deletions go first, since they make room. */
export function pack(changes: readonly Change[]): Rows {
  const rows: Value[] = [];
  for (const { table, key, value } of changes) if (value === undefined) rows.push(table, key, null, null);
  for (const { table, key, value, expiresAt = null } of changes)
    if (value !== undefined) rows.push(table, key, value, expiresAt);
  return rows;
}

export function* unpack(rows: Rows): Generator<SentChange> {
  for (let at = 0; at < rows.length; at += 4) yield rows.slice(at, at + 4) as unknown as SentChange;
}
