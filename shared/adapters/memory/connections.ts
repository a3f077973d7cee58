import type { Tag } from "../../domain/tag.ts";
import type { Connection, Connections } from "../../ports.ts";

/** Connections in a Map. */
export function memoryConnections(): Connections & { size(): number } {
  const rows = new Map<string, Connection>();
  const same = (connectionId: string, connectedAt: number | undefined) => {
    const row = rows.get(connectionId);
    return row && (connectedAt === undefined || row.connectedAt === connectedAt) ? row : undefined;
  };
  const retag = (row: Connection, tags: Iterable<Tag>) => {
    rows.set(row.connectionId, { ...row, tags: [...new Set(tags)] });
  };
  return {
    async open(connection) {
      rows.set(connection.connectionId, structuredClone(connection));
    },
    async find(id, now) {
      const row = rows.get(id);
      return row && row.expiresAt > now ? structuredClone(row) : undefined;
    },
    async hold({ connectionId, connectedAt }, tags) {
      const row = same(connectionId, connectedAt);
      if (row) retag(row, [...row.tags, ...tags]);
      return row !== undefined;
    },
    async release({ connectionId, connectedAt }, tags) {
      const row = same(connectionId, connectedAt);
      if (row)
        retag(
          row,
          row.tags.filter((tag) => !tags.includes(tag)),
        );
    },
    async close({ connectionId, connectedAt }) {
      const row = same(connectionId, connectedAt);
      if (row) rows.delete(connectionId);
      return row;
    },
    size: () => rows.size,
  };
}
