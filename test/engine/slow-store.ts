import type { Change, Store } from "../../local/engine/store/store.ts";
import { TagwireError } from "../../shared/protocol/errors.ts";

/** A store whose disk a test has in its hand. */
export interface SlowStore extends Store {
  /** What has been written so far reaches the disk. */
  flush(): void;
  /** The disk takes nothing of what is being written: it is undone, but for what nobody waits for. */
  lose(): void;
  /** Writes that wait for the disk. */
  waiting(): number;
}

interface Pending {
  readonly undo: readonly Change[];
  readonly resolve: () => void;
  readonly reject: (fault: Error) => void;
}

export function slowStore(store: Store): SlowStore {
  let pending: Pending[] = [];
  const waitFor = (undo: readonly Change[]): Promise<void> =>
    new Promise((resolve, reject) => {
      pending.push({ undo, resolve, reject });
    });
  const taken = (): readonly Pending[] => {
    const all = pending;
    pending = [];
    return all;
  };
  const flushed = () => (pending.length > 0 ? waitFor([]) : Promise.resolve());
  return {
    ...store,
    write(changes) {
      const undo = changes.map(({ table, key }): Change => {
        const value = store.get(table, key);
        return value === undefined ? { table, key } : { table, key, value };
      });
      store.writeLater(changes);
      return waitFor(undo);
    },
    flushed,
    async rangeOnDisk(table, query) {
      await flushed().catch(() => {});
      return store.range(table, query);
    },
    flush() {
      for (const { resolve } of taken()) resolve();
    },
    lose() {
      for (const { undo, reject } of taken().toReversed()) {
        store.writeLater(undo);
        reject(new TagwireError("STORE_UNAVAILABLE", "the disk is full"));
      }
    },
    waiting: () => pending.length,
  };
}
