import type { Sockets, Subscriptions } from "../../shared/ports.ts";
import type { ConnectionId, Tag } from "../../shared/protocol/tag.ts";

/** Delivers as the plain consumer does: all connections of the tag are looked up, then posted to one by one. */
export async function plainDeliver(
  subscriptions: Pick<Subscriptions, "page">,
  sockets: Sockets,
  tag: Tag,
  frame: Uint8Array,
): Promise<number> {
  const ids: ConnectionId[] = [];
  for (let from: string | undefined = "0"; from !== undefined; ) {
    const { rows, next } = await subscriptions.page(tag, { from, to: "g", limit: 1_000, now: Date.now() });
    ids.push(...rows.map(({ connectionId }) => connectionId));
    from = next;
  }
  let sent = 0;
  for (const id of ids) if ((await sockets.send(id, frame)).kind === "sent") sent++;
  return sent;
}
