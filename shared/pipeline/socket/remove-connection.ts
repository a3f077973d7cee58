import type { ConnectionRow } from "../../connections/connection.ts";
import type { Connections, Subscriptions } from "../../ports.ts";
import type { Tag } from "../../protocol/tag.ts";
import type { Recipient } from "../../receipts/receipt.ts";

export interface RemoveConnectionDeps {
  readonly connections: Pick<Connections, "delete">;
  readonly subscriptions: Pick<Subscriptions, "remove">;
}

/**
 * Deletes all rows of a connection that is gone, including those of changes that were not finished. `via` are the tags it
 * was found by: a row that outlived its connection names no other way to it. Returns its row as it was, if there was one.
 */
export async function removeConnection(
  deps: RemoveConnectionDeps,
  gone: Recipient,
  via: readonly Tag[] = [],
): Promise<ConnectionRow | undefined> {
  const row = await deps.connections.delete(gone);
  const open = row?.changes.flatMap(({ tags }) => tags) ?? [];
  await deps.subscriptions.remove([...new Set([...(row?.tags ?? []), ...open, ...via])], gone);
  return row;
}
