import { type JWTPayload, SignJWT } from "jose";
import { DEV_SECRET } from "../shared/settings/dev-secret.ts";

export interface SignOptions {
  /** The secret in UTF-8. Default: the secret of a local router. */
  readonly secret?: string;
  readonly alg?: string;
  /** Milliseconds since 1970. */
  readonly now?: number;
}

/** Claims of a token, with what it grants under the claim `tagwire`. */
export function claimsOf(claims: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { tags, subscribe, publish, admin, ...others } = claims;
  return { tagwire: { tags, subscribe, publish, admin }, ...others };
}

/** Signs claims with a shared secret; grants are put under the claim `tagwire`. `exp` is an hour from `now` if the claims have none. */
export const signToken = (
  claims: JWTPayload,
  { secret = DEV_SECRET, alg = "HS256", now = Date.now() }: SignOptions = {},
): Promise<string> =>
  new SignJWT(claimsOf({ exp: Math.floor(now / 1000) + 3_600, ...claims }))
    .setProtectedHeader({ alg })
    .sign(new TextEncoder().encode(secret));
