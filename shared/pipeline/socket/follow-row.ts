import type { ConnectionRow, OpenChange } from "../../connections/connection.ts";
import type { Clock, Connections, Subscriptions } from "../../ports.ts";
import { TagwireError } from "../../protocol/errors.ts";
import type { Tag } from "../../protocol/tag.ts";

export interface FollowRowDeps {
  readonly connections: Pick<Connections, "read" | "settle">;
  readonly subscriptions: Pick<Subscriptions, "add" | "remove">;
  readonly clock: Pick<Clock, "now">;
}

/** Conflicts with other frames of the socket before a frame gives up. Each is another frame's progress. */
export const CONFLICTS = 50;

/** Until when the list rows of a connection count, in milliseconds: the gateway's cut, or the end of its token. */
export const listedUntil = ({
  expiresAt,
  tokenExpiresAt,
}: Pick<ConnectionRow, "expiresAt" | "tokenExpiresAt">): number => Math.min(expiresAt, tokenExpiresAt);

/**
 * Makes the lists of a mark's tags agree with the row, in their ends too, until a last look finds the row as it was when
 * they were written. The mark goes with that look, so it stays on the row as long as a list of its tags may differ.
 * Returns the row as that look found it, or undefined if the connection was closed meanwhile; nothing of it is left in
 * the lists then.
 */
export async function followRow(
  deps: FollowRowDeps,
  changed: ConnectionRow,
  mark: OpenChange,
): Promise<ConnectionRow | undefined> {
  const { connections, subscriptions, clock } = deps;
  /** Until when each list row counts that this run has written; undefined where it has removed it. */
  const listed = new Map<Tag, number | undefined>();
  let row = changed;
  for (let conflicts = 0; conflicts <= CONFLICTS; conflicts++) {
    const [held, until] = [new Set(row.tags), listedUntil(row)];
    const differing = mark.tags.filter(
      (tag) => !listed.has(tag) || listed.get(tag) !== (held.has(tag) ? until : undefined),
    );
    const [there, absent] = [
      differing.filter((tag) => held.has(tag)),
      differing.filter((tag) => !held.has(tag)),
    ];
    if (there.length > 0) await subscriptions.add(there, row, until);
    if (absent.length > 0) await subscriptions.remove(absent, row);
    for (const tag of differing) listed.set(tag, held.has(tag) ? until : undefined);
    if (await connections.settle(row, mark)) return row;
    const next = await connections.read(row.connectionId, clock.now());
    if (next?.connectedAt !== row.connectedAt) {
      // $disconnect or a 410 has read the row and may have met the lists before this run wrote them.
      await subscriptions.remove(mark.tags, row);
      return undefined;
    }
    row = next;
  }
  throw new TagwireError("TABLE_UNAVAILABLE", `${CONFLICTS} looks in a row met another frame's change`);
}
