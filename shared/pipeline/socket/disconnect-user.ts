import { chunks } from "../../chunks.ts";
import type { Clock, CloseResult, Connections, Sockets, Subscriptions } from "../../ports.ts";
import type { Disconnected } from "../../protocol/disconnected.ts";
import { accept, type Result, refuse } from "../../protocol/errors.ts";
import { CONNECTING } from "../../protocol/limits.ts";
import { type ConnectionId, type UserId, userTag } from "../../protocol/tag.ts";
import { WHOLE } from "../../receipts/hash-range.ts";
import type { Recipient } from "../../receipts/receipt.ts";
import { removeConnection } from "./remove-connection.ts";

export interface DisconnectDeps {
  readonly connections: Pick<Connections, "read" | "delete">;
  readonly subscriptions: Pick<Subscriptions, "page" | "remove">;
  readonly sockets: Pick<Sockets, "close">;
  readonly clock: Pick<Clock, "now">;
  /** Whether the run has the time to close a few more. */
  readonly hasTime: () => boolean;
}

/** Connections that one request closes at most. */
export const CLOSED_AT_MOST = 100;

/** Connections that are closed at once. */
const AT_ONCE = 10;

/** Rows of a user's list that are read at once. */
const PAGE = 500;

/**
 * Closes the sockets of a user's connections and removes their rows: of those that connected before `before`, in
 * milliseconds since 1970, or of all. At most `CLOSED_AT_MOST` of them; `more` says that some may be left, which the same
 * request closes. Idempotent. A connection whose `$connect` has not returned yet cannot be closed, and counts as left.
 */
export async function disconnectUser(
  deps: DisconnectDeps,
  user: UserId,
  before = Number.POSITIVE_INFINITY,
): Promise<Result<Disconnected>> {
  const tag = userTag(user);
  const done = { closed: 0, met: 0, left: 0 };
  for (let from: string | undefined = WHOLE.from; from !== undefined; ) {
    // Of rows whose tokens have ended too: their sockets may be open.
    const page = await deps.subscriptions.page(tag, { ...WHOLE, from, limit: PAGE, now: 0 });
    const asked = page.rows.filter(({ connectedAt }) => connectedAt < before);
    for (const some of chunks(asked, AT_ONCE)) {
      if (done.met >= CLOSED_AT_MOST || !deps.hasTime()) return accept({ closed: done.closed, more: true });
      const results = await Promise.all(some.map((row) => close(deps, row, user)));
      done.met += some.length;
      done.closed += results.filter(({ kind }) => kind === "closed").length;
      done.left += results.filter(({ kind }) => kind === "connecting").length;
      const failed = results.find((result) => "reason" in result);
      if (failed && "reason" in failed) return unavailable(done.closed, failed.reason);
    }
    from = page.next;
  }
  return accept({ closed: done.closed, more: done.left > 0 });
}

/** Closes one connection and removes its rows, unless it connected at `before` or later. Idempotent. */
export async function disconnectConnection(
  deps: DisconnectDeps,
  connectionId: ConnectionId,
  before = Number.POSITIVE_INFINITY,
): Promise<Result<Disconnected>> {
  const row = await deps.connections.read(connectionId, 0);
  if (row && row.connectedAt >= before) return accept({ closed: 0, more: false });
  const result = row ? await close(deps, row, row.user) : await deps.sockets.close(connectionId);
  if ("reason" in result) return unavailable(0, result.reason);
  return accept({ closed: result.kind === "closed" ? 1 : 0, more: result.kind === "connecting" });
}

type Closed = CloseResult | { readonly kind: "connecting" };

/**
 * The socket first: as long as its rows are there, a request that is made again finds it. Its $disconnect may remove the
 * rows too.
 */
async function close(
  deps: DisconnectDeps,
  { connectionId, connectedAt }: Recipient,
  user: UserId,
): Promise<Closed> {
  const result = await deps.sockets.close(connectionId);
  if ("reason" in result) return result;
  // It may be that its $connect has not returned: that would write rows after these are removed.
  if (result.kind === "gone" && connectedAt + CONNECTING > deps.clock.now()) return { kind: "connecting" };
  await removeConnection(deps, { connectionId, connectedAt }, [userTag(user)]);
  return result;
}

const unavailable = (closed: number, reason: string) =>
  refuse("GATEWAY_UNAVAILABLE", `closed ${closed} connections, then the gateway failed: ${reason}`, {
    retryAfter: 1,
  });
