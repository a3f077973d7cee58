import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from "jose";
import { type Result, refuse, TagwireError } from "../../domain/errors.ts";
import { Identity } from "../../domain/grant.ts";
import { parse } from "../../domain/parse.ts";
import type { Tokens } from "../../ports.ts";

export type TokenSource =
  | { readonly secretId: string }
  | { readonly issuer: string; readonly audience: string; readonly jwksUri?: string };

/** Seconds by which two clocks may differ. */
const TOLERANCE = 5;

/** Tokens signed with a shared secret (HS256), read once and kept. */
export function secretTokens(readSecret: () => Promise<string>): Tokens {
  let key: Promise<Uint8Array> | undefined;
  const read = () => readSecret().then((secret) => new TextEncoder().encode(secret));
  return {
    verify: (token) =>
      checked(async () => {
        key ??= read();
        const secret = await key.catch((fault: unknown) => {
          key = undefined;
          throw fault;
        });
        return (await jwtVerify(token, secret, { algorithms: ["HS256"], clockTolerance: TOLERANCE })).payload;
      }),
  };
}

/** Tokens of an issuer that publishes its keys. */
export function issuerTokens({
  issuer,
  audience,
  jwksUri,
}: Extract<TokenSource, { issuer: string }>): Tokens {
  const url = new URL(jwksUri ?? `${issuer.replace(/\/$/, "")}/.well-known/jwks.json`);
  const keys = createRemoteJWKSet(url);
  const algorithms = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"];
  return {
    verify: (token) =>
      checked(
        async () =>
          (await jwtVerify(token, keys, { issuer, audience, algorithms, clockTolerance: TOLERANCE })).payload,
      ),
  };
}

async function checked(verify: () => Promise<JWTPayload>): Promise<Result<Identity>> {
  try {
    return parse(Identity, await verify(), "TOKEN_INVALID");
  } catch (fault) {
    if (fault instanceof errors.JWTExpired)
      return refuse("TOKEN_EXPIRED", "the token has expired; get a new one");
    if (fault instanceof errors.JOSEError && !ABOUT_KEYS.has(fault.code))
      return refuse("TOKEN_INVALID", `the token cannot be trusted: ${fault.code}`);
    const detail = fault instanceof Error ? fault.message : String(fault);
    throw new TagwireError("KEYS_UNAVAILABLE", `no keys to check tokens with: ${detail}`, { cause: fault });
  }
}

/** Faults of whoever publishes the keys. Such a token may well be good. */
const ABOUT_KEYS: ReadonlySet<string> = new Set([
  errors.JOSEError.code,
  errors.JWKInvalid.code,
  errors.JWKSInvalid.code,
  errors.JWKSTimeout.code,
]);
