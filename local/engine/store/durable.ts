import { checked } from "./check.ts";
import { connect } from "./driver.ts";
import { faultOf, thrown } from "./fault.ts";
import { filesOf } from "./folder.ts";
import { Groups } from "./groups.ts";
import { merge } from "./merge.ts";
import { Reader } from "./reader.ts";
import { Thread } from "./thread.ts";
import type { Keys, Store, StoreOptions, Table } from "./types.ts";

/** A store whose rows are in the files of a folder: read here, written by a thread. */
export async function durableStore(
  folder: string,
  { maxBytes, beforeCommit, onLost = () => {} }: Omit<StoreOptions, "folder"> = {},
): Promise<Store> {
  const thread = new Thread({ kind: "write", folder, maxBytes });
  const isVerified = await thread.started.catch(async (fault) => {
    await thread.end();
    throw fault;
  });
  const connection = connect(filesOf(folder).database, { readOnly: true });
  const reader = new Reader(connection, folder);
  const groups = new Groups((rows) => {
    beforeCommit?.();
    return thread.ask({ kind: "commit", rows });
  });
  /** Why nothing can be trusted any more. */
  let damage: unknown;
  let isClosed = false;
  const lost = (fault: unknown) => {
    if (!isClosed) onLost(fault);
  };
  void thread.ended.then(lost);
  if (!isVerified)
    runAlone({ kind: "verify", folder }).catch((fault: unknown) => {
      damage = fault;
      lost(fault);
    });

  const read = <R>(act: () => R): R => {
    if (damage !== undefined) throw damage;
    try {
      return act();
    } catch (fault) {
      throw thrown(faultOf(fault, folder));
    }
  };
  return {
    get(table, key) {
      const row = groups.unflushed[table].get(key);
      return row === undefined ? read(() => reader.get(table, key)) : row.change.value;
    },
    range<T extends Table>(
      table: T,
      {
        from,
        to,
        limit,
        isReversed = false,
      }: { from: Keys[T]; to: Keys[T]; limit: number; isReversed?: boolean },
    ) {
      const unflushed = groups.unflushed[table];
      const keys = unflushed.keys(from, to, Infinity, isReversed);
      // Each change may hide one row of the disk.
      const rows = read(() => reader.range(table, from, to, limit + keys.length, isReversed));
      const changes = keys.flatMap((key) => unflushed.get(key)?.change ?? []);
      return merge(rows, changes, isReversed).slice(0, limit);
    },
    count(table) {
      const changed = groups.unflushed[table].entries();
      const changes = [...changed].map(([, { change }]) => change);
      const kept = changes.filter(({ value, expiresAt }) => value !== undefined && expiresAt !== undefined);
      const keys = changes.map(({ key }) => key);
      return read(() => reader.count(table, keys)) + kept.length;
    },
    async rangeOnDisk(table, { from, to, limit }) {
      if (groups.unflushed[table].keys(from, to, 1, false).length > 0) await groups.flushed().catch(() => {});
      return read(() => reader.range(table, from, to, limit, false));
    },
    async write(changes) {
      if (damage !== undefined) throw damage;
      groups.add(checked(changes), false);
      await groups.flushed();
    },
    writeLater: (changes) => groups.add(checked(changes), true),
    flushed: () => groups.flushed(),
    async expire(now) {
      // What finds no room may find it once rows are gone.
      await groups.flushed().catch(() => {});
      while (await thread.ask({ kind: "expire", now }));
    },
    async backUp(path) {
      await groups.flushed();
      await runAlone({ kind: "backUp", folder, path });
    },
    async close() {
      isClosed = true;
      try {
        await groups.flushed();
      } finally {
        groups.close();
        connection.close();
        await thread.ask({ kind: "close" }).finally(() => thread.end());
      }
    },
  };
}

/** Does long work beside the thread that writes. */
async function runAlone(task: ConstructorParameters<typeof Thread>[0]): Promise<void> {
  const thread = new Thread(task);
  try {
    await thread.started;
  } finally {
    await thread.end();
  }
}
