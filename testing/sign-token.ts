import { type JWTPayload, SignJWT } from "jose";
import { DEV_SECRET } from "../shared/settings/settings.ts";

export interface SignOptions {
  /** The secret in UTF-8. Default: the secret of a local router. */
  readonly secret?: string;
  readonly alg?: string;
  /** Milliseconds since 1970. */
  readonly now?: number;
}

/** Signs claims with a shared secret. `exp` is an hour from `now` if the claims have none. */
export const signToken = (
  claims: JWTPayload,
  { secret = DEV_SECRET, alg = "HS256", now = Date.now() }: SignOptions = {},
): Promise<string> =>
  new SignJWT({ exp: Math.floor(now / 1000) + 3_600, ...claims })
    .setProtectedHeader({ alg })
    .sign(new TextEncoder().encode(secret));
