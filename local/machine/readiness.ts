import { statfs } from "node:fs/promises";
import type { Clock } from "../../shared/ports.ts";
import { messageOf, type Refusal } from "../../shared/protocol/errors.ts";
import type { Change, Store } from "../engine/store/store.ts";

interface ReadinessDeps {
  readonly store: Pick<Store, "write">;
  /** The folder of the store. Absent: it is in memory. */
  readonly folder?: string | undefined;
  readonly clock: Pick<Clock, "monotonic">;
}

/**
 * Returns what tells why the store can keep nothing now. It commits a group that changes no row, at most once a second:
 * what a disk does with the next message is not known before.
 */
export function readiness({ store, folder, clock }: ReadinessDeps): () => Promise<Refusal | undefined> {
  const look = async (): Promise<Refusal | undefined> => {
    if (folder === undefined) return undefined;
    try {
      const { bavail, bsize } = await statfs(folder);
      const free = bavail * bsize;
      if (free < FREE_BYTES) return refusal(`the disk of ${folder} has ${free} bytes left`);
      await store.write([NO_ROW]);
      return undefined;
    } catch (fault) {
      return refusal(messageOf(fault));
    }
  };
  let last: { readonly at: number; readonly result: Promise<Refusal | undefined> } | undefined;
  return () => {
    const at = clock.monotonic();
    if (last === undefined || at - last.at >= EVERY) last = { at, result: look() };
    return last.result;
  };
}

const refusal = (detail: string): Refusal => ({ code: "STORE_UNAVAILABLE", detail });

/** Milliseconds for which an answer holds. */
const EVERY = 1_000;
/** With less the log of the store may not grow by the next group. */
const FREE_BYTES = 1_048_576;
/** The deletion of a row that there is not. */
const NO_ROW: Change = { table: "entries", key: 0 };
