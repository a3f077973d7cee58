import { type CryptoKey, exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { issuerTokens } from "../../shared/adapters/jwt/issuer-tokens.ts";
import { secretTokens } from "../../shared/adapters/jwt/secret-tokens.ts";
import { claimsOf } from "../../testing/sign-token.ts";
import { publish } from "../support/issuer.ts";
import { tokensContract } from "./tokens.ts";

const clock = { now: () => Date.now() };
const SECRET = "a-secret-of-at-least-thirty-two-bytes";
const bytes = (text: string) => new TextEncoder().encode(text);
const signed = (claims: JWTPayload, alg: string, key: CryptoKey | Uint8Array, kid?: string) =>
  new SignJWT(claimsOf({ exp: Math.floor(Date.now() / 1000) + 3_600, ...claims }))
    .setProtectedHeader({ alg, ...(kid ? { kid } : {}) })
    .sign(key);
const invalid = { ok: false, refusal: { code: "TOKEN_INVALID" } };

describe("tokens of a shared secret", () => {
  tokensContract(async (clock) => ({
    tokens: secretTokens(async () => ({ text: SECRET }), clock),
    sign: (claims, forged) => signed(claims, "HS256", bytes(forged ? `${SECRET}!` : SECRET)),
    usual: {},
  }));

  test.each(["HS384", "HS512"])("are HS256 and nothing else, not %s", async (alg) => {
    const tokens = secretTokens(async () => ({ text: SECRET }), clock);
    const token = await signed({ sub: "ann" }, alg, bytes(SECRET.repeat(2)));
    expect(await tokens.verify(token)).toMatchObject(invalid);
  });
});

describe("tokens of an issuer", () => {
  const audience = "tagwire";
  let issuer: string;
  let keys: Awaited<ReturnType<typeof generateKeyPair>>;
  let others: Awaited<ReturnType<typeof generateKeyPair>>;
  let stop: () => Promise<void>;
  beforeAll(async () => {
    [keys, others] = await Promise.all([generateKeyPair("ES256"), generateKeyPair("ES256")]);
    const jwk = { ...(await exportJWK(keys.publicKey)), kid: "one", alg: "ES256", use: "sig" };
    const published = await publish({ "/.well-known/jwks.json": [jwk], "/keys": [jwk] });
    issuer = published.url;
    stop = published.stop;
  });
  afterAll(() => stop());

  const usual = () => ({ iss: issuer, aud: audience });
  const sign = (claims: JWTPayload, forged = false) =>
    signed(claims, "ES256", (forged ? others : keys).privateKey, "one");

  tokensContract(async (clock) => ({
    tokens: issuerTokens({ issuer, audience }, clock),
    sign,
    usual: usual(),
  }));

  test.each([
    { why: "another issuer", claims: { iss: "https://elsewhere.example" } },
    { why: "no issuer", claims: { iss: undefined } },
    { why: "another audience", claims: { aud: "elsewhere" } },
    { why: "no audience", claims: { aud: undefined } },
  ])("are refused with $why", async ({ claims }) => {
    const token = await sign({ sub: "ann", ...usual(), ...claims } as JWTPayload);
    expect(await issuerTokens({ issuer, audience }, clock).verify(token)).toMatchObject(invalid);
  });

  test("may name several audiences", async () => {
    const token = await sign({ sub: "ann", ...usual(), aud: ["elsewhere", audience] });
    expect(await issuerTokens({ issuer, audience }, clock).verify(token)).toMatchObject({ ok: true });
  });

  test("are refused with a key that the issuer does not publish", async () => {
    const token = await signed({ sub: "ann", ...usual() }, "ES256", others.privateKey, "two");
    expect(await issuerTokens({ issuer, audience }, clock).verify(token)).toMatchObject(invalid);
  });

  test("are refused where a public key was taken for a shared secret", async () => {
    const token = await signed(
      { sub: "ann", ...usual() },
      "HS256",
      bytes(await exportSPKI(keys.publicKey)),
      "one",
    );
    expect(await issuerTokens({ issuer, audience }, clock).verify(token)).toMatchObject(invalid);
  });

  test("may have their keys at an address of their own", async () => {
    const tokens = issuerTokens({ issuer: "urn:issuer", audience, jwksUri: `${issuer}/keys` }, clock);
    const token = await sign({ sub: "ann", aud: audience, iss: "urn:issuer" });
    expect(await tokens.verify(token)).toMatchObject({ ok: true });
  });
});
