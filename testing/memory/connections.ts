import { type EngineConnections, engineConnections } from "../../local/engine/connections.ts";
import type { Connections } from "../../shared/ports.ts";

export type MemoryConnections = Connections & Pick<EngineConnections, "size">;

/** The connections of one machine. Like a table they answer later, and hand out copies. */
export function memoryConnections(): MemoryConnections {
  const connections = engineConnections();
  return {
    put: (connection) => connections.put(connection),
    find: async (id, now) => structuredClone(connections.find(id, now)),
    read: async (id, now) => structuredClone(await connections.read(id, now)),
    change: async (row, change) => structuredClone(await connections.change(row, change)),
    refresh: async (row, refresh) => structuredClone(await connections.refresh(row, refresh)),
    settle: (row, mark) => connections.settle(row, mark),
    delete: (holder) => connections.delete(holder),
    size: () => connections.size(),
  };
}
