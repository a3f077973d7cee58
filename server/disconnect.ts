import { call, failureOf, type RequestDeps } from "./request.ts";

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

/** Closes connections and removes their rows. A connection or user without any is not an error. */
export async function disconnect(
  deps: RequestDeps,
  target: DisconnectTarget,
  { before, signal }: DisconnectOptions = {},
): Promise<void> {
  const path =
    "user" in target
      ? `v1/users/${encodeURIComponent(target.user)}/connections`
      : `v1/connections/${encodeURIComponent(target.connection)}`;
  const query = before === undefined ? "" : `?before=${encodeURIComponent(before.toISOString())}`;
  const response = await call(deps, { method: "DELETE", path: path + query }, signal);
  if (response.status < 200 || response.status > 299) throw failureOf(response);
}
