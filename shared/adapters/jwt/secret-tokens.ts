import type { CryptoKey, JWTPayload } from "jose";
import { JWSSignatureVerificationFailed } from "jose/errors";
import { jwtVerify } from "jose/jwt/verify";
import type { Clock, Tokens } from "../../ports.ts";
import { keptKeys } from "./kept-keys.ts";
import { rememberedTokens, type Verify } from "./remembered.ts";

/** The staging labels of a secret's versions in Secrets Manager. */
export type SecretStage = "AWSCURRENT" | "AWSPREVIOUS";

/** One version of a secret. */
export interface SecretVersion {
  readonly text: string;
  /** When this version was made, in milliseconds since 1970. */
  readonly createdAt?: number;
}

/** Reads a version of a secret. Undefined if no version has the label, as is normal for AWSPREVIOUS. */
export type ReadSecret = (stage: SecretStage) => Promise<SecretVersion | undefined>;

/** Milliseconds that the previous secret holds after the current one was made: a day, the life of the CLI's tokens. */
export const PREVIOUS_HOLDS = 86_400_000;

/** HS256 wants a key as long as its hash (RFC 7518 §3.2). */
const SECRET_BYTES = 32;

const HS256 = { name: "HMAC", hash: "SHA-256" };

/** Tokens signed with a shared secret (HS256): its current version, or the previous one during a rotation. */
export function secretTokens(readSecret: ReadSecret, clock: Pick<Clock, "now">, claim?: string): Tokens {
  const kept = keptKeys(() => readKeys(readSecret, clock.now()), clock);
  return rememberedTokens(clock, claim, async (token, options) => {
    const keys = await kept.current();
    try {
      return await verifyWithAny(keys, token, options);
    } catch (fault) {
      if (!(fault instanceof JWSSignatureVerificationFailed)) throw fault;
      const renewed = await kept.renewed();
      if (renewed === keys) throw fault;
      return verifyWithAny(renewed, token, options);
    }
  });
}

/** The keys that hold, the current one first. */
async function readKeys(readSecret: ReadSecret, now: number): Promise<readonly CryptoKey[]> {
  const current = await readSecret("AWSCURRENT");
  if (!current) throw new Error("the secret has no current version");
  const inRotation = now < (current.createdAt ?? now) + PREVIOUS_HOLDS;
  const previous = inRotation ? await readSecret("AWSPREVIOUS") : undefined;
  const texts = new Set([current, ...(previous ? [previous] : [])].map(({ text }) => text));
  return Promise.all([...texts].map(importKey));
}

/** jose would import a secret in bytes for each token, which takes as long as to verify it. */
async function importKey(text: string): Promise<CryptoKey> {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length < SECRET_BYTES)
    throw new Error(`the secret must have at least ${SECRET_BYTES} bytes, got ${bytes.length}`);
  return crypto.subtle.importKey("raw", bytes, HS256, false, ["verify"]);
}

async function verifyWithAny(
  keys: readonly CryptoKey[],
  token: string,
  options: Parameters<Verify>[1],
): Promise<JWTPayload> {
  let failed: unknown;
  for (const key of keys) {
    try {
      return (await jwtVerify(token, key, { ...options, algorithms: ["HS256"] })).payload;
    } catch (fault) {
      if (!(fault instanceof JWSSignatureVerificationFailed)) throw fault;
      failed = fault;
    }
  }
  throw failed;
}
