import { type ConnectionRow, rowExpiresAt, type TokenRefresh } from "../../connections/connection.ts";
import { CHANGES } from "../../connections/frame-budget.ts";
import { spend } from "../../connections/token-bucket.ts";
import type { Connections, Random, Tokens } from "../../ports.ts";
import { accept, type Result, refuse, TagwireError } from "../../protocol/errors.ts";
import { type Identity, maySubscribe } from "../../protocol/grant.ts";
import { CONNECTION_TAGS } from "../../protocol/limits.ts";
import { EVERYONE, type Tag, topicIn, userTag } from "../../protocol/tag.ts";
import type { ConnectionPolicy } from "../../settings/policy.ts";
import { leftUndone, newId } from "./change-tags.ts";
import { CONFLICTS, type FollowRowDeps, followRow } from "./follow-row.ts";
import { GONE, SUPERSEDED_TOKEN, TOO_MANY_TAGS, tooMany } from "./refusal.ts";

export interface RefreshTokenDeps extends FollowRowDeps {
  readonly connections: Pick<Connections, "read" | "refresh" | "settle">;
  readonly tokens: Tokens;
  readonly policy: ConnectionPolicy;
  readonly random: Random;
}

export interface Refreshed {
  /** The end of the token, in milliseconds since 1970. */
  readonly tokenExpiresAt: number;
  /** What the connection held and the token does not grant. */
  readonly removed: readonly Tag[];
}

/**
 * Puts a token in the place of the one that a connection lives by: its grants, its tags and its end. As long as it is
 * refused, the one before holds. The row changes first, on condition that nothing else changed it since it was read: what
 * is removed depends on what it holds. Then the lists follow, for all tags, since each of their rows has its end.
 */
export async function refreshToken(
  deps: RefreshTokenDeps,
  first: ConnectionRow,
  token: string,
): Promise<Result<Refreshed>> {
  const { connections, clock } = deps;
  const verified = await verify(deps, first, token);
  if (!verified.ok) return verified;
  const identity = verified.value;
  let row: ConnectionRow | undefined = first;
  for (let conflicts = 0; conflicts <= CONFLICTS; conflicts++) {
    if (row?.connectedAt !== first.connectedAt) return GONE;
    const planned = plan(deps, row, identity, clock.now());
    if (!planned.ok) return planned;
    const { write, refreshed } = planned.value;
    if (!write) return accept(refreshed);
    const changed = await connections.refresh(row, write);
    if (changed) {
      const last = await followRow(deps, changed, write.mark);
      if (!last) return GONE;
      return stands(last, write, refreshed) ? accept(refreshed) : SUPERSEDED_TOKEN;
    }
    row = await connections.read(first.connectionId, clock.now());
  }
  throw new TagwireError("TABLE_UNAVAILABLE", `${CONFLICTS} writes in a row met another frame's`);
}

/** What a token says, if it may stand in the place of the one that the connection has. */
async function verify(
  { tokens, clock }: RefreshTokenDeps,
  { user, tokenExpiresAt }: ConnectionRow,
  token: string,
): Promise<Result<Identity>> {
  const holds = `the connection's own token holds until ${new Date(tokenExpiresAt).toISOString()}`;
  const verified = await tokens.verify(token);
  if (verified.ok && verified.value.exp * 1_000 > clock.now()) {
    if (verified.value.sub === user) return verified;
    return refuse("TOKEN_USER_DIFFERS", `the token's sub is not the connection's user; ${holds}`);
  }
  // TOKEN_EXPIRED in a frame says that the connection has ended.
  if (verified.ok || verified.refusal.code === "TOKEN_EXPIRED")
    return refuse("TOKEN_INVALID", `the new token has expired; ${holds}`);
  return { ok: false, refusal: { ...verified.refusal, detail: `${verified.refusal.detail}; ${holds}` } };
}

interface Plan {
  readonly refreshed: Refreshed;
  /** Absent if the row has all this already. */
  readonly write?: TokenRefresh;
}

function plan(
  { policy, random }: RefreshTokenDeps,
  row: ConnectionRow,
  identity: Identity,
  now: number,
): Result<Plan> {
  const { sub, subscribe } = identity;
  const fixed = new Set([EVERYONE, userTag(sub), ...identity.tags]);
  const removed = row.tags.filter((tag) => !fixed.has(tag) && !mayKeep(identity, tag));
  const kept = row.tags.filter((tag) => !removed.includes(tag));
  const tags = [...new Set([...fixed, ...kept])];
  if (tags.length > CONNECTION_TAGS) return TOO_MANY_TAGS;
  const tokenExpiresAt = identity.exp * 1_000;
  const refreshed = { tokenExpiresAt, removed };
  const open = row.changes.flatMap((change) => change.tags);
  const isHeld = tags.length === row.tags.length && removed.length === 0 && open.length === 0;
  if (isHeld && isBy(row, { subscribe, tokenExpiresAt })) return accept({ refreshed });
  const touched = [...new Set([...tags, ...removed, ...open])];
  const spent = spend(CHANGES, row.budgetUntil, touched.length, now);
  if (spent.kind === "refused") return tooMany("changes of topics", spent.retryAfter);
  const write: TokenRefresh = {
    tags,
    subscribe,
    tokenExpiresAt,
    expiresAt: rowExpiresAt({ connectedAt: row.connectedAt, tokenExpiresAt }, policy),
    mark: { id: newId(random), startedAt: now, tags: touched },
    takesOver: leftUndone(row, now),
    spending: spent.spending,
  };
  return accept({ refreshed, write });
}

/** Whether a client could add the tag with the token: it is a topic that the token grants. */
function mayKeep(identity: Identity, tag: Tag): boolean {
  const topic = topicIn(tag);
  return topic !== undefined && maySubscribe(identity, topic);
}

/** Whether a later look still finds what a refresh wrote. Topics are other frames' to change. */
function stands(row: ConnectionRow, write: TokenRefresh, { removed }: Refreshed): boolean {
  const fixed = write.tags.filter((tag) => topicIn(tag) === undefined);
  return (
    isBy(row, write) &&
    fixed.every((tag) => row.tags.includes(tag)) &&
    !removed.some((tag) => row.tags.includes(tag))
  );
}

const isBy = (row: ConnectionRow, token: Pick<ConnectionRow, "subscribe" | "tokenExpiresAt">): boolean =>
  row.tokenExpiresAt === token.tokenExpiresAt &&
  JSON.stringify(row.subscribe) === JSON.stringify(token.subscribe);
