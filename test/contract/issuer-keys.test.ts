import {
  type CryptoKey,
  exportJWK,
  generateKeyPair,
  type JWK,
  type JWTHeaderParameters,
  type JWTPayload,
  SignJWT,
} from "jose";
import { describe, expect, onTestFinished, test } from "vitest";
import { issuerTokens } from "../../shared/adapters/jwt/issuer-tokens.ts";
import { memoryClock } from "../../testing/memory/clock.ts";
import { claimsOf } from "../../testing/sign-token.ts";
import { type Published, publish } from "../support/issuer.ts";

const AUDIENCE = "tagwire";
const MINUTE = 60_000;
const good = { ok: true, value: { sub: "ann" } };
const invalid = { ok: false, refusal: { code: "TOKEN_INVALID" } };
const unavailable = { name: "TagwireError", code: "KEYS_UNAVAILABLE", cause: expect.any(Error) };

interface Pair {
  readonly alg: string;
  readonly jwk: JWK;
  readonly privateKey: CryptoKey;
}

async function pair(alg: string, more: JWK = {}): Promise<Pair> {
  const options = alg === "EdDSA" ? { crv: "Ed25519" } : {};
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true, ...options });
  return { alg, jwk: { ...(await exportJWK(publicKey)), ...more }, privateKey };
}

/** A warm container that trusts an issuer on the loopback address. */
async function trusting(answer: Published) {
  const issuer = await publish({ "/.well-known/jwks.json": answer });
  onTestFinished(issuer.stop);
  const clock = memoryClock();
  const tokens = issuerTokens({ issuer: issuer.url, audience: AUDIENCE }, clock);
  let serial = 0;
  return {
    ...issuer,
    clock,
    verify: tokens.verify,
    /** A token that was not seen before. */
    sign: ({ alg, privateKey }: Pair, header: Partial<JWTHeaderParameters> = {}, claims: JWTPayload = {}) => {
      const usual = { sub: "ann", iss: issuer.url, aud: AUDIENCE, exp: clock.now() / 1000 + 86_400 };
      return new SignJWT(claimsOf({ ...usual, serial: ++serial, ...claims }))
        .setProtectedHeader({ alg, ...header })
        .sign(privateKey);
    },
  };
}

describe("known keys hold on", () => {
  test.each<{ what: string; answer: Published | undefined }>([
    { what: "hangs up", answer: undefined },
    { what: "answers 404", answer: { status: 404, body: "" } },
    { what: "answers 500", answer: { status: 500, body: "{}" } },
    { what: "answers with a page", answer: { status: 200, body: "<html>" } },
    { what: "answers with no set", answer: { status: 200, body: "{}" } },
    { what: "sends one elsewhere", answer: { status: 302, body: "" } },
  ])("while their issuer $what", async ({ answer }) => {
    const key = await pair("ES256", { kid: "one" });
    const { verify, sign, change, clock, requests } = await trusting([key.jwk]);
    expect(await verify(await sign(key, { kid: "one" }))).toMatchObject(good);
    change(answer);
    for (let minute = 0; minute < 120; minute++) {
      clock.advance(MINUTE);
      expect(await verify(await sign(key, { kid: "one" }))).toMatchObject(good);
    }
    expect(requests()).toBeLessThan(120);
    change([key.jwk]);
    clock.advance(MINUTE);
    expect(await verify(await sign(key, { kid: "one" }))).toMatchObject(good);
  });

  test("and a token of an unknown key is not called bad meanwhile", async () => {
    const [key, next] = [await pair("ES256", { kid: "one" }), await pair("ES256", { kid: "two" })];
    const { verify, sign, change, clock } = await trusting([key.jwk]);
    expect(await verify(await sign(key, { kid: "one" }))).toMatchObject(good);
    change(undefined);
    clock.advance(MINUTE);
    await expect(verify(await sign(next, { kid: "two" }))).rejects.toMatchObject(unavailable);
    await expect(verify(await sign(next, { kid: "two" }))).rejects.toMatchObject(unavailable);
    change([key.jwk, next.jwk]);
    clock.advance(MINUTE);
    expect(await verify(await sign(next, { kid: "two" }))).toMatchObject(good);
  });

  test.each<{ what: string; answer: Published | undefined }>([
    { what: "hangs up", answer: undefined },
    { what: "has nothing there", answer: { status: 404, body: "" } },
    { what: "is in trouble", answer: { status: 500, body: "{}" } },
    { what: "answers with a page", answer: { status: 200, body: "<html>" } },
    { what: "answers with no set", answer: { status: 200, body: '{"keys":{}}' } },
  ])("but where none were ever read, since the issuer $what, no token is called bad", async ({ answer }) => {
    const key = await pair("ES256", { kid: "one" });
    const { verify, sign, change, clock } = await trusting([key.jwk]);
    change(answer);
    await expect(verify(await sign(key, { kid: "one" }))).rejects.toMatchObject(unavailable);
    change([key.jwk]);
    clock.advance(1_000);
    expect(await verify(await sign(key, { kid: "one" }))).toMatchObject(good);
  });
});

test("a new key is taken at its first token, and old ones with it", async () => {
  const [key, next] = [await pair("ES256", { kid: "one" }), await pair("RS256", { kid: "two" })];
  const { verify, sign, change, clock, requests } = await trusting([key.jwk]);
  expect(await verify(await sign(key, { kid: "one" }))).toMatchObject(good);
  change([next.jwk, key.jwk]);
  clock.advance(MINUTE);
  expect(await verify(await sign(next, { kid: "two" }))).toMatchObject(good);
  expect(await verify(await sign(key, { kid: "one" }))).toMatchObject(good);
  expect(requests()).toBe(2);
});

test("a new key of an issuer that names no keys is taken too", async () => {
  const [key, next] = [await pair("ES256"), await pair("ES256")];
  const { verify, sign, change, clock } = await trusting([key.jwk]);
  expect(await verify(await sign(key))).toMatchObject(good);
  change([next.jwk]);
  clock.advance(MINUTE);
  expect(await verify(await sign(next))).toMatchObject(good);
  expect(await verify(await sign(key))).toMatchObject(invalid);
});

test("a flood of unknown keys is no flood of requests to the issuer: one in 30 seconds", async () => {
  const [key, other] = [await pair("ES256", { kid: "one" }), await pair("ES256")];
  const { verify, sign, clock, requests } = await trusting([key.jwk]);
  expect(await verify(await sign(key, { kid: "one" }))).toMatchObject(good);
  clock.advance(MINUTE);
  for (let second = 0; second < 60; second++) {
    const forged = await Promise.all([sign(other, { kid: `${second}` }), sign(other, { kid: "x" })]);
    for (const answer of await Promise.all(forged.map(verify))) expect(answer).toMatchObject(invalid);
    clock.advance(1_000);
  }
  expect(requests()).toBe(3);
});

test("forged tokens that name a known key cause no request", async () => {
  const [key, other] = [await pair("ES256", { kid: "one" }), await pair("ES256")];
  const { verify, sign, clock, requests } = await trusting([key.jwk]);
  expect(await verify(await sign(key, { kid: "one" }))).toMatchObject(good);
  clock.advance(MINUTE);
  expect(await verify(await sign(other, { kid: "one" }))).toMatchObject(invalid);
  expect(requests()).toBe(1);
});

test("a key that is withdrawn holds for eleven minutes at most, remembered tokens included", async () => {
  const [key, next] = [await pair("ES256", { kid: "one" }), await pair("ES256", { kid: "two" })];
  const { verify, sign, change, clock } = await trusting([key.jwk, next.jwk]);
  const token = await sign(key, { kid: "one" });
  expect(await verify(token)).toMatchObject(good);
  change([next.jwk]);
  clock.advance(9.5 * MINUTE);
  expect(await verify(token)).toMatchObject(good);
  clock.advance(MINUTE);
  expect(await verify(token)).toMatchObject(invalid);
});

describe("a key set as issuers publish it", () => {
  test.each([
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
  ])("may hold a key for %s, with its algorithm named or not", async (alg) => {
    const [named, bare] = [await pair(alg, { kid: "a", alg, use: "sig" }), await pair(alg, { kid: "b" })];
    const { verify, sign } = await trusting([named.jwk, bare.jwk]);
    expect(await verify(await sign(named, { kid: "a" }))).toMatchObject(good);
    expect(await verify(await sign(bare, { kid: "b" }))).toMatchObject(good);
  });

  test("may name no keys, and tokens may name none of several", async () => {
    const keys = await Promise.all(["RS256", "ES256", "EdDSA", "RS256"].map((alg) => pair(alg)));
    const { verify, sign } = await trusting(keys.map(({ jwk }) => jwk));
    for (const key of keys) expect(await verify(await sign(key))).toMatchObject(good);
    expect(await verify(await sign(await pair("ES256")))).toMatchObject(invalid);
  });

  test("may call two keys the same", async () => {
    const keys = await Promise.all(["RS256", "RS256", "ES256"].map((alg) => pair(alg, { kid: "same" })));
    const { verify, sign } = await trusting(keys.map(({ jwk }) => jwk));
    for (const key of keys) expect(await verify(await sign(key, { kid: "same" }))).toMatchObject(good);
  });

  test("may hold what is not understood, beside good keys", async () => {
    const key = await pair("RS256", { kid: "good", alg: "RS256", use: "sig", x5c: ["MIIC"], x5t: "abc" });
    const encryption = await pair("RS256", { kid: "good", use: "enc", alg: "RSA-OAEP" });
    const strays = [
      { kty: "OKP", crv: "X25519", x: "AAAA", kid: "x" },
      { kty: "AKP", alg: "ML-DSA-44", pub: "AAAA", kid: "good" },
      { kty: "future", kid: "good", alg: "RS256" },
      { kty: "oct", k: "c2VjcmV0", kid: "good" },
      { kty: "EC", crv: "secp256k1", x: "AA", y: "AA", kid: "k1" },
      { kty: "RSA" },
      { kid: "no kty" },
      { kty: "RSA", kid: 7, n: 1, e: null },
      ...[null, 7, "key", []],
    ];
    const { verify, sign } = await trusting([...strays, encryption.jwk, key.jwk, ...strays]);
    expect(await verify(await sign(key, { kid: "good" }))).toMatchObject(good);
    expect(await verify(await sign(encryption, { kid: "good" }))).toMatchObject(invalid);
    const oct = await new SignJWT({ sub: "ann" })
      .setProtectedHeader({ alg: "HS256", kid: "good" })
      .sign(new TextEncoder().encode("secret"));
    expect(await verify(oct)).toMatchObject(invalid);
  });

  test("may have members beside its keys", async () => {
    const key = await pair("ES256", { kid: "one" });
    const body = JSON.stringify({ issued: 1, keys: [key.jwk], next: { at: 2 } });
    const { verify, sign } = await trusting({ status: 200, body });
    expect(await verify(await sign(key, { kid: "one", typ: "at+jwt" }))).toMatchObject(good);
  });
});

describe("whom a token is meant for", () => {
  test.each([
    { why: "it is the audience", claims: {}, answer: good },
    { why: "it is one of several", claims: { aud: ["other", AUDIENCE] }, answer: good },
    {
      why: "a Cognito access token has the audience for its client",
      claims: { aud: undefined, token_use: "access", client_id: AUDIENCE, scope: "openid", version: 2 },
      answer: good,
    },
    {
      why: "a Cognito ID token has the audience",
      claims: { token_use: "id" },
      answer: good,
    },
    { why: "there is none", claims: { aud: undefined }, answer: invalid },
    { why: "there is an empty list", claims: { aud: [] }, answer: invalid },
    { why: "it is another", claims: { aud: "other" }, answer: invalid },
    {
      why: "the client is another",
      claims: { aud: undefined, token_use: "access", client_id: "other" },
      answer: invalid,
    },
    {
      why: "the client is the audience, but the token is not for access",
      claims: { aud: undefined, token_use: "id", client_id: AUDIENCE },
      answer: invalid,
    },
    {
      why: "the client is the audience, but the use is not said",
      claims: { aud: undefined, client_id: AUDIENCE },
      answer: invalid,
    },
    {
      why: "the audience is another, whatever the client is",
      claims: { aud: "other", token_use: "access", client_id: AUDIENCE },
      answer: invalid,
    },
    {
      why: "the client is a list",
      claims: { aud: undefined, token_use: "access", client_id: [AUDIENCE] },
      answer: invalid,
    },
  ])("$why", async ({ claims, answer }) => {
    const key = await pair("ES256", { kid: "one" });
    const { verify, sign } = await trusting([key.jwk]);
    expect(await verify(await sign(key, { kid: "one" }, claims as JWTPayload))).toMatchObject(answer);
  });
});
