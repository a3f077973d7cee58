import type { CryptoKey, JWTPayload, JWTVerifyOptions } from "jose";
// Not from the whole of jose, which would bring what only some routers need into every bundle.
import * as errors from "jose/errors";
import { jwtVerify } from "jose/jwt/verify";
import { accept, messageOf, type Result, refuse, TagwireError } from "../../domain/errors.ts";
import { Identity } from "../../domain/grant.ts";
import { parse } from "../../domain/parse.ts";
import type { Clock, Tokens } from "../../ports.ts";

export type TokenSource =
  | { readonly secretId: string }
  | { readonly issuer: string; readonly audience: string; readonly jwksUri?: string };

/** Seconds by which two clocks may differ. */
const TOLERANCE = 5;

/** Tokens signed with a shared secret (HS256), read once and kept. */
export function secretTokens(readSecret: () => Promise<string>, clock: Pick<Clock, "now">): Tokens {
  let key: Promise<CryptoKey> | undefined;
  // Imported once: jose would import a secret in bytes for each token, which takes as long as the check itself.
  const read = async () =>
    crypto.subtle.importKey("raw", new TextEncoder().encode(await readSecret()), HS256, false, ["verify"]);
  return remembering(clock, async (token, options) => {
    key ??= read();
    const secret = await key.catch((fault: unknown) => {
      key = undefined;
      throw fault;
    });
    return (await jwtVerify(token, secret, { ...options, algorithms: ["HS256"] })).payload;
  });
}

const HS256 = { name: "HMAC", hash: "SHA-256" };

/** Tokens of an issuer that publishes its keys. */
export function issuerTokens(
  { issuer, audience, jwksUri }: Extract<TokenSource, { issuer: string }>,
  clock: Pick<Clock, "now">,
): Tokens {
  const address = jwksUri ?? `${issuer.replace(/\/$/, "")}/.well-known/jwks.json`;
  const keys = import("./remote-keys.ts").then(({ remoteKeys }) => remoteKeys(address));
  const algorithms = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"];
  return remembering(
    clock,
    async (token, options) =>
      (await jwtVerify(token, await keys, { ...options, issuer, audience, algorithms })).payload,
  );
}

/** Milliseconds that a good token is not checked again, unless it expires before; and how many are remembered. */
const MEMORY = { for: 60_000, tokens: 1_000 };

/** A producer sends one token with many requests, and to check it takes longer than to check what it sends. */
function remembering(
  clock: Pick<Clock, "now">,
  verify: (token: string, options: JWTVerifyOptions) => Promise<JWTPayload>,
): Tokens {
  const known = new Map<string, { readonly identity: Identity; readonly until: number }>();
  return {
    async verify(token) {
      const now = clock.now();
      const found = known.get(token);
      if (found && now < found.until) return accept(found.identity);
      known.delete(token);
      const checked = await check(() =>
        verify(token, { clockTolerance: TOLERANCE, currentDate: new Date(now) }),
      );
      if (!checked.ok) return checked;
      const identity = checked.value;
      const until = Math.min(now + MEMORY.for, (identity.exp + TOLERANCE) * 1000);
      known.set(token, { identity, until });
      for (const oldest of known.keys()) {
        if (known.size <= MEMORY.tokens) break;
        known.delete(oldest);
      }
      return accept(identity);
    },
  };
}

async function check(verify: () => Promise<JWTPayload>): Promise<Result<Identity>> {
  try {
    return parse(Identity, await verify(), "TOKEN_INVALID");
  } catch (fault) {
    if (fault instanceof errors.JWTExpired)
      return refuse("TOKEN_EXPIRED", "the token has expired; get a new one");
    if (fault instanceof errors.JOSEError && !ABOUT_KEYS.has(fault.code))
      return refuse("TOKEN_INVALID", `the token cannot be trusted: ${fault.code}`);
    throw new TagwireError("KEYS_UNAVAILABLE", `no keys to check tokens with: ${messageOf(fault)}`, {
      cause: fault,
    });
  }
}

/** Faults of whoever publishes the keys. Such a token may well be good. */
const ABOUT_KEYS: ReadonlySet<string> = new Set([
  errors.JOSEError.code,
  errors.JWKInvalid.code,
  errors.JWKSInvalid.code,
  errors.JWKSTimeout.code,
]);
