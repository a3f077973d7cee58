import type { JWTPayload, JWTVerifyOptions } from "jose";
// Not from the whole of jose, which would bring what only some routers need into every bundle.
import * as errors from "jose/errors";
import type { Clock, Tokens } from "../../ports.ts";
import { accept, messageOf, type Result, refuse, TagwireError } from "../../protocol/errors.ts";
import { type Identity, identityOf } from "../../protocol/grant.ts";

/** Verifies a token's signature and its registered claims. Throws jose's error if the token is bad. */
export type Verify = (token: string, options: JWTVerifyOptions) => Promise<JWTPayload>;

/** Seconds by which two clocks may differ. */
const TOLERANCE = 5;

/** Milliseconds that a good token is not verified again, unless it expires before; and how many are remembered. */
const MEMORY = { duration: 60_000, tokens: 1_000 };

/**
 * A producer sends one token with many requests, and to verify it takes longer than to check what it sends.
 * `claim` is the name of the claim that holds the grant.
 */
export function rememberedTokens(
  clock: Pick<Clock, "now">,
  claim: string | undefined,
  verify: Verify,
): Tokens {
  const known = new Map<
    string,
    { readonly identity: Identity; readonly from: number; readonly until: number }
  >();
  return {
    async verify(token) {
      const now = clock.now();
      const found = known.get(token);
      if (found && found.from <= now && now < found.until) return accept(found.identity);
      known.delete(token);
      const identity = await check({ verify, claim }, token, now);
      if (!identity.ok) return identity;
      const until = Math.min(now + MEMORY.duration, (identity.value.exp + TOLERANCE) * 1000);
      known.set(token, { identity: identity.value, from: now, until });
      for (const oldest of known.keys()) {
        if (known.size <= MEMORY.tokens) break;
        known.delete(oldest);
      }
      return identity;
    },
  };
}

async function check(
  { verify, claim }: { readonly verify: Verify; readonly claim: string | undefined },
  token: string,
  now: number,
): Promise<Result<Identity>> {
  try {
    const claims = await verify(token, { clockTolerance: TOLERANCE, currentDate: new Date(now) });
    // jose looks at `iat` only where a token has a greatest age.
    if ((claims.iat ?? 0) > now / 1000 + TOLERANCE)
      return refuse("TOKEN_INVALID", "the token cannot be trusted: it was issued in the future (iat)");
    return identityOf(claims, claim);
  } catch (fault) {
    if (fault instanceof errors.JWTExpired)
      return refuse("TOKEN_EXPIRED", "the token has expired; get a new one");
    if (fault instanceof errors.JOSEError && !ABOUT_KEYS.has(fault.code))
      return refuse("TOKEN_INVALID", `the token cannot be trusted: ${fault.message}`);
    throw new TagwireError("KEYS_UNAVAILABLE", `no keys to check tokens with: ${messageOf(fault)}`, {
      cause: fault,
    });
  }
}

/** Faults of the issuer. Such a token may well be valid. */
const ABOUT_KEYS: ReadonlySet<string> = new Set([
  errors.JOSEError.code,
  errors.JWKInvalid.code,
  errors.JWKSInvalid.code,
  errors.JWKSTimeout.code,
]);
