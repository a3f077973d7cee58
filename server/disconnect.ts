import type { Disconnected } from "../shared/protocol/disconnected.ts";
import { RouterError } from "./errors.ts";
import { call, failureOf, isObject, orAborted, type RequestDeps } from "./request.ts";

/** Whose connections to close: all of a user's, or one. */
export type DisconnectTarget = { readonly user: string } | { readonly connection: string };

export interface DisconnectOptions {
  /**
   * Spares connections that were opened at this time or later, such as those of a login that is newer than the logout.
   * @default none is spared
   */
  readonly before?: Date;
  readonly signal?: AbortSignal;
}

/** Requests in a row that close nothing before it gives up: a connect takes at most 29 s (API Gateway quotas). */
const PATIENCE = 40;

/** Milliseconds between a request that closed nothing and the next. */
const PAUSE = 1_000;

/**
 * Closes connections and removes their rows: makes the request until none is left. A connection or user without any is
 * not an error. Throws DISCONNECT_INCOMPLETE if some cannot be closed.
 */
export async function disconnect(
  deps: RequestDeps,
  target: DisconnectTarget,
  { before, signal }: DisconnectOptions = {},
): Promise<{ readonly closed: number }> {
  const path =
    "user" in target
      ? `v1/users/${encodeURIComponent(target.user)}/connections`
      : `v1/connections/${encodeURIComponent(target.connection)}`;
  const query = before === undefined ? "" : `?before=${encodeURIComponent(before.toISOString())}`;
  let closed = 0;
  for (let idle = 0; idle < PATIENCE; ) {
    const response = await call(deps, { method: "DELETE", path: path + query }, signal);
    if (response.status !== 200) throw failureOf(response);
    if (!isDisconnected(response.body))
      throw new RouterError("RESPONSE_INVALID", "the response has no `closed`");
    closed += response.body.closed;
    if (!response.body.more) return { closed };
    idle = response.body.closed === 0 ? idle + 1 : 0;
    if (idle > 0) await orAborted(signal, () => deps.runtime.pause(PAUSE, signal));
  }
  throw new RouterError(
    "DISCONNECT_INCOMPLETE",
    `closed ${closed}, and some are left that cannot be closed yet`,
  );
}

const isDisconnected = (body: unknown): body is Disconnected =>
  isObject(body) && typeof body["closed"] === "number" && typeof body["more"] === "boolean";
