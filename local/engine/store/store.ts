import { memoryStore } from "./memory.ts";
import type { Store, StoreOptions } from "./types.ts";

export type { Change, Keys, Row, Store, StoreOptions, Table } from "./types.ts";

/** Opens the store of a folder, or one in memory. */
export async function openStore({ folder }: StoreOptions = {}): Promise<Store> {
  if (folder === undefined) return memoryStore();
  throw new Error("not yet");
}
