import type { JWTPayload, JWTVerifyGetKey } from "jose";
import { decodeProtectedHeader } from "jose/decode/protected_header";
import { JWKSMultipleMatchingKeys, JWKSNoMatchingKey, JWSSignatureVerificationFailed } from "jose/errors";
import { decodeJwt } from "jose/jwt/decode";
import { jwtVerify } from "jose/jwt/verify";
import type { Clock, Tokens } from "../../ports.ts";
import { keptKeys } from "./kept-keys.ts";
import { rememberedTokens, type Verify } from "./remembered.ts";

/** An issuer that publishes its keys. */
export interface Issuer {
  readonly issuer: string;
  readonly audience: string;
  /** @default the issuer's own /.well-known/jwks.json */
  readonly jwksUri?: string;
}

/** Signatures with a key pair. Never HS256: a public key is no secret. */
const ALGORITHMS = [
  ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
  ...["ES256", "ES384", "ES512", "EdDSA", "Ed25519"],
];

/** Tokens of an issuer that publishes its keys. Keys that are known hold on while it cannot be reached. */
export function issuerTokens(
  { issuer, audience, jwksUri }: Issuer,
  clock: Pick<Clock, "now">,
  claim?: string,
): Tokens {
  const address = jwksUri ?? `${issuer.replace(/\/$/, "")}/.well-known/jwks.json`;
  const kept = keptKeys(async () => (await import("./remote-keys.ts")).remoteKeys(address), clock);
  return rememberedTokens(clock, claim, async (token, options) => {
    const keys = await kept.current();
    const audiences = isAccessTokenOf(audience, token) ? {} : { audience };
    const checks = { ...options, issuer, algorithms: ALGORITHMS, ...audiences };
    try {
      return await verifyWithSet(keys, token, checks);
    } catch (fault) {
      if (!mayHaveNewKey(fault, token)) throw fault;
      const renewed = await kept.renewed();
      if (renewed === keys) throw fault;
      return verifyWithSet(renewed, token, checks);
    }
  });
}

/** Without `kid` a new key is told from an old one by its signatures alone. */
const mayHaveNewKey = (fault: unknown, token: string): boolean =>
  fault instanceof JWKSNoMatchingKey ||
  (fault instanceof JWSSignatureVerificationFailed && decodeProtectedHeader(token).kid === undefined);

/**
 * Whether `client_id` stands for `aud`: the access tokens of Amazon Cognito have no `aud` ("Understanding the access
 * token", Cognito developer guide). Nothing is verified here.
 */
function isAccessTokenOf(audience: string, token: string): boolean {
  const { aud, client_id, token_use } = decodeJwt(token);
  return aud === undefined && token_use === "access" && client_id === audience;
}

/** A token without `kid` is tried with each key that fits its algorithm. */
async function verifyWithSet(
  keys: JWTVerifyGetKey,
  token: string,
  options: Parameters<Verify>[1],
): Promise<JWTPayload> {
  try {
    return (await jwtVerify(token, keys, options)).payload;
  } catch (several) {
    if (!(several instanceof JWKSMultipleMatchingKeys)) throw several;
    for await (const key of several) {
      try {
        return (await jwtVerify(token, key, options)).payload;
      } catch (fault) {
        if (!(fault instanceof JWSSignatureVerificationFailed)) throw fault;
      }
    }
    throw new JWSSignatureVerificationFailed();
  }
}
