import { RouterError } from "./errors.ts";
import { call, failureOf, isObject, orAborted, type RequestDeps } from "./request.ts";

/** Whose connections to close: all of a user's, or one. */
export type DisconnectTarget = { readonly user: string } | { readonly connection: string };

export interface DisconnectOptions {
  /**
   * Spares connections that were opened at this time or later, such as those of a login that is newer than the logout.
   * A text is ISO 8601.
   * @default none is spared
   */
  readonly before?: Date | string;
  readonly signal?: AbortSignal;
}

export interface DisconnectResult {
  /** The number of connections that were closed. */
  readonly closed: number;
}

/** Requests in a row that close nothing before it gives up: a connect takes at most 29 s. */
const PATIENCE = 40;

/** Milliseconds between a request that closed nothing and the next. */
const PAUSE = 1_000;

/**
 * Closes connections and removes their rows, in as many requests as it takes. A user or a connection that is not there is
 * not an error. Throws DISCONNECT_INCOMPLETE if connections are left whose connect does not end.
 */
export async function disconnect(
  deps: RequestDeps,
  target: DisconnectTarget,
  { before, signal }: DisconnectOptions = {},
): Promise<DisconnectResult> {
  const path = pathOf(target) + queryOf(before);
  let [closed, idle] = [0, 0];
  for (;;) {
    const response = await call(deps, { method: "DELETE", path }, signal);
    const { status, body } = response;
    if (status !== 200) throw failureOf(response);
    if (!isObject(body) || typeof body["closed"] !== "number")
      throw new RouterError("RESPONSE_INVALID", "the router's response has no number of connections", {
        status,
      });
    closed += body["closed"];
    if (body["more"] !== true) return { closed };
    idle = body["closed"] === 0 ? idle + 1 : 0;
    if (idle === PATIENCE)
      throw new RouterError(
        "DISCONNECT_INCOMPLETE",
        `closed ${closed}, and some are left that cannot be closed yet`,
      );
    if (idle > 0) await orAborted(signal, () => deps.runtime.pause(PAUSE, signal));
  }
}

const pathOf = (target: DisconnectTarget): string =>
  "user" in target
    ? `v1/users/${encodeURIComponent(target.user)}/connections`
    : `v1/connections/${encodeURIComponent(target.connection)}`;

const queryOf = (before: Date | string | undefined): string =>
  before === undefined
    ? ""
    : `?before=${encodeURIComponent(typeof before === "string" ? before : before.toISOString())}`;
