import { durableStore } from "./durable.ts";
import { memoryStore } from "./memory.ts";
import type { Store, StoreOptions } from "./types.ts";

export type { Change, Keys, Row, Store, StoreOptions, Table } from "./types.ts";

/**
 * Opens the store of a folder, or one in memory. Throws a TagwireError with the code STORE_IN_USE, STORE_FOREIGN,
 * STORE_NEWER, STORE_READ_ONLY or STORE_DAMAGED if the folder cannot be used; its files are then as they were.
 */
export async function openStore({ folder, ...options }: StoreOptions = {}): Promise<Store> {
  return folder === undefined ? memoryStore() : durableStore(folder, options);
}
