import type {
  Connection,
  ConnectionRow,
  OpenChange,
  TagChange,
} from "../../shared/connections/connection.ts";
import { budgetAfter, type Spending } from "../../shared/connections/token-bucket.ts";
import type { Connections } from "../../shared/ports.ts";
import type { ConnectionId } from "../../shared/protocol/tag.ts";

export interface EngineConnections extends Connections {
  find(id: ConnectionId, now: number): Connection | undefined;
  /** Deletes the rows that expired before `now`, in milliseconds since 1970. */
  expire(now: number): void;
  size(): number;
}

/**
 * Connections in memory: none outlives the process. A row is replaced and never changed. Calls back with what a row was
 * and what it is: absent before it is put, and after it is deleted.
 */
export function engineConnections(
  onChange: (before: Connection | undefined, after: Connection | undefined) => void = () => {},
): EngineConnections {
  const rows = new Map<string, ConnectionRow>();
  const set = (row: ConnectionRow) => {
    const before = rows.get(row.connectionId);
    rows.set(row.connectionId, row);
    onChange(before, row);
  };
  const remove = (row: ConnectionRow) => {
    rows.delete(row.connectionId);
    onChange(row, undefined);
  };
  const same = (connectionId: string, connectedAt: number | undefined) => {
    const row = rows.get(connectionId);
    return row && (connectedAt === undefined || row.connectedAt === connectedAt) ? row : undefined;
  };
  const alive = (id: ConnectionId, now: number) => {
    const row = rows.get(id);
    return row && row.expiresAt > now ? row : undefined;
  };
  return {
    read: async (id, now) => alive(id, now),
    async put(connection) {
      const { tags, subscribe } = connection;
      const copy = { ...connection, tags: [...tags], subscribe: [...subscribe] };
      set({ ...copy, revision: 0, changes: [] });
    },
    find(id, now) {
      const row = alive(id, now);
      return row && row.tokenExpiresAt > now ? row : undefined;
    },
    async change(seen, change) {
      const row = same(seen.connectionId, seen.connectedAt);
      const changed = row && apply(row, seen, change);
      if (changed) set(changed);
      return changed;
    },
    async refresh(seen, { mark, takesOver, spending, tags, subscribe, expiresAt, tokenExpiresAt }) {
      const row = same(seen.connectionId, seen.connectedAt);
      if (row?.revision !== seen.revision) return undefined;
      const refreshed: ConnectionRow = {
        ...row,
        ...{ subscribe: [...subscribe], expiresAt, tokenExpiresAt },
        tags: [...new Set(tags)],
        revision: row.revision + 1,
        changes: [...without(row, [...takesOver, mark]), copyOf(mark)],
        budgetUntil: budgetAfter(row.budgetUntil, spending),
      };
      set(refreshed);
      return refreshed;
    },
    async settle({ connectionId, connectedAt, revision }, mark) {
      const row = same(connectionId, connectedAt);
      if (row?.revision !== revision) return false;
      rows.set(connectionId, { ...row, changes: without(row, [mark]) });
      return true;
    },
    async delete({ connectionId, connectedAt }) {
      const row = same(connectionId, connectedAt);
      if (row) remove(row);
      return row;
    },
    expire(now) {
      for (const row of rows.values()) if (row.expiresAt < now) remove(row);
    },
    size: () => rows.size,
  };
}

/** The row after the change; undefined if it may not be made. */
function apply(
  row: ConnectionRow,
  seen: ConnectionRow,
  { verb, tags, mark, takesOver, tagLimit, spending }: TagChange,
): ConnectionRow | undefined {
  const budgetUntil = spent(row.budgetUntil, seen.budgetUntil, spending);
  const full = verb === "add" && tags.length > 0 && row.tags.length + new Set(tags).size > tagLimit;
  const regranted = JSON.stringify(row.subscribe) !== JSON.stringify(seen.subscribe);
  if (budgetUntil === undefined || full || (regranted && verb === "add" && tags.length > 0)) return undefined;
  const kept = row.tags.filter((tag) => !tags.includes(tag));
  return {
    ...row,
    tags: verb === "add" ? [...kept, ...new Set(tags)] : kept,
    revision: row.revision + 1,
    changes: [...without(row, [...takesOver, mark]), copyOf(mark)],
    budgetUntil,
  };
}

function spent(until: number | undefined, seen: number | undefined, spending: Spending): number | undefined {
  if (spending.kind === "restart") return until === seen ? spending.until : undefined;
  return until !== undefined && until <= spending.most ? until + spending.by : undefined;
}

const copyOf = (mark: OpenChange): OpenChange => ({ ...mark, tags: [...mark.tags] });

const without = ({ changes }: ConnectionRow, marks: readonly OpenChange[]): OpenChange[] =>
  changes.filter(
    ({ id, startedAt }) => !marks.some((mark) => mark.id === id && mark.startedAt === startedAt),
  );
