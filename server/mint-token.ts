import type { KeyObject } from "node:crypto";
import { type CryptoKey, type JWK, SignJWT } from "jose";
import { GRANT_CLAIM, identityOf } from "../shared/protocol/grant.ts";
import { RouterError } from "./errors.ts";

interface Claims {
  /** Whom the token speaks for (`sub`). */
  readonly user: string;
  /**
   * Tags that the user's connections carry, such as `region:gd`.
   * @default none
   */
  readonly tags?: readonly string[];
  /**
   * Topics that it may subscribe to: `orders`, `orders/*` or `*`.
   * @default none
   */
  readonly subscribe?: readonly string[];
  /**
   * Targets that it may publish to: `topic:orders`, `user:*` or `*`. A token for a browser needs none.
   * @default none
   */
  readonly publish?: readonly string[];
  /**
   * Whether it may read and cancel the messages of every producer, and disconnect users.
   * @default false
   */
  readonly admin?: boolean;
  /**
   * How long it holds, in seconds. A connection ends with its token.
   * @default 3600
   */
  readonly ttlSeconds?: number;
  /**
   * When it is issued.
   * @default now
   */
  readonly issuedAt?: Date;
  /**
   * The claim that holds the grant.
   * @default tagwire
   */
  readonly claim?: string;
  /** `iss`, for a router that takes tokens of an issuer. */
  readonly issuer?: string;
  /** `aud`, for a router that takes tokens of an issuer. */
  readonly audience?: string;
}

/** Signs with HS256. */
interface WithSecret {
  /** The router's secret: at least 32 bytes in UTF-8. */
  readonly secret: string;
}

/** Signs with a private key whose public half the issuer publishes. */
interface WithKey {
  readonly key: CryptoKey | KeyObject | JWK;
  /** As in a JWT's header: `ES256`, `RS256`, `EdDSA` … */
  readonly algorithm: string;
  /** `kid`: which of the published keys this is. */
  readonly keyId?: string;
}

export type MintTokenOptions = Claims & (WithSecret | WithKey);

/** HS256 wants a key as long as its hash (RFC 7518 §3.2). */
const SECRET_BYTES = 32;

const HOUR_SECONDS = 3_600;

/**
 * Signs a token. Throws TOKEN_INVALID if the router would refuse its claims, and SECRET_INVALID if the secret has less
 * than 32 bytes.
 */
export async function mintToken(options: MintTokenOptions): Promise<string> {
  const { user, tags = [], subscribe = [], publish = [], admin = false, issuer, audience } = options;
  const { ttlSeconds = HOUR_SECONDS, issuedAt = new Date(), claim = GRANT_CLAIM } = options;
  const iat = Math.floor(issuedAt.getTime() / 1000);
  const payload = {
    sub: user,
    iat,
    exp: iat + ttlSeconds,
    ...(issuer === undefined ? {} : { iss: issuer }),
    ...(audience === undefined ? {} : { aud: audience }),
    [claim]: { tags, subscribe, publish, admin },
  };
  const identity = identityOf(payload, claim);
  if (!identity.ok)
    throw new RouterError("TOKEN_INVALID", `the token would be refused: ${identity.refusal.detail}`);
  if (ttlSeconds <= 0)
    throw new RouterError("TOKEN_INVALID", "the token would be refused: /exp must be later than /iat");
  const { secret, key, algorithm = "", keyId }: Partial<WithSecret & WithKey> = options;
  if (secret !== undefined || key === undefined)
    return new SignJWT(payload).setProtectedHeader({ alg: "HS256", typ: "JWT" }).sign(bytesOf(secret));
  const header = { alg: algorithm, typ: "JWT", ...(keyId === undefined ? {} : { kid: keyId }) };
  return new SignJWT(payload).setProtectedHeader(header).sign(key);
}

function bytesOf(secret = ""): Uint8Array {
  const bytes = new TextEncoder().encode(secret);
  if (bytes.length >= SECRET_BYTES) return bytes;
  throw new RouterError(
    "SECRET_INVALID",
    `the secret must have at least ${SECRET_BYTES} bytes, got ${bytes.length}`,
  );
}
