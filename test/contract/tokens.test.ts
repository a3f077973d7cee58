import { createServer } from "node:http";
import { type CryptoKey, exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { listen, shut } from "../../local/listen.ts";
import { issuerTokens, secretTokens } from "../../shared/adapters/jose/tokens.ts";
import { tokensContract } from "./tokens.ts";

const clock = { now: () => Date.now() };
const SECRET = "a-secret-of-at-least-thirty-two-bytes";
const bytes = (text: string) => new TextEncoder().encode(text);
const signed = (claims: JWTPayload, alg: string, key: CryptoKey | Uint8Array, kid?: string) =>
  new SignJWT({ exp: Math.floor(Date.now() / 1000) + 3_600, ...claims })
    .setProtectedHeader({ alg, ...(kid ? { kid } : {}) })
    .sign(key);
const invalid = { ok: false, refusal: { code: "TOKEN_INVALID" } };
const unavailable = { name: "TagwireError", code: "KEYS_UNAVAILABLE", cause: expect.any(Error) };

describe("tokens of a shared secret", () => {
  tokensContract(async (clock) => ({
    tokens: secretTokens(async () => SECRET, clock),
    sign: (claims, forged) => signed(claims, "HS256", bytes(forged ? `${SECRET}!` : SECRET)),
    usual: {},
  }));

  test.each(["HS384", "HS512"])("are HS256 and nothing else, not %s", async (alg) => {
    const tokens = secretTokens(async () => SECRET, clock);
    const token = await signed({ sub: "ann" }, alg, bytes(SECRET.repeat(2)));
    expect(await tokens.verify(token)).toMatchObject(invalid);
  });

  test("read their secret once, and again where reading it failed", async () => {
    let reads = 0;
    const tokens = secretTokens(async () => {
      reads++;
      if (reads === 1) throw new Error("no such secret");
      return SECRET;
    }, clock);
    const token = await signed({ sub: "ann" }, "HS256", bytes(SECRET));
    await expect(tokens.verify(token)).rejects.toMatchObject(unavailable);
    for (let i = 0; i < 3; i++) expect(await tokens.verify(token)).toMatchObject({ ok: true });
    expect(reads).toBe(2);
  });
});

describe("tokens of an issuer", () => {
  const audience = "tagwire";
  let issuer: string;
  let stop: () => Promise<void>;
  let answer: (path: string) => { status: number; body: string };
  let keys: Awaited<ReturnType<typeof generateKeyPair>>;
  let others: Awaited<ReturnType<typeof generateKeyPair>>;
  let published: string;
  const asPublished = (path: string) =>
    path === "/.well-known/jwks.json" || path === "/keys"
      ? { status: 200, body: published }
      : { status: 404, body: "" };

  beforeAll(async () => {
    [keys, others] = await Promise.all([generateKeyPair("ES256"), generateKeyPair("ES256")]);
    const jwk = { ...(await exportJWK(keys.publicKey)), kid: "one", alg: "ES256", use: "sig" };
    published = JSON.stringify({ keys: [jwk] });
    answer = asPublished;
    const server = createServer((request, response) => {
      const { status, body } = answer(request.url ?? "");
      response.writeHead(status, { "content-type": "application/json" }).end(body);
    });
    issuer = `http://127.0.0.1:${await listen(server)}`;
    stop = () => shut(server);
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

  test("stop being taken a minute after their key was withdrawn, but for the keys that jose keeps", async () => {
    onTestFinished(() => {
      vi.useRealTimers();
      answer = asPublished;
    });
    vi.useFakeTimers({ toFake: ["Date"] });
    const tokens = issuerTokens({ issuer, audience }, clock);
    const token = await sign({ sub: "ann", ...usual() });
    expect(await tokens.verify(token)).toMatchObject({ ok: true });
    answer = () => ({ status: 200, body: '{"keys":[]}' });
    vi.setSystemTime(Date.now() + 11 * 60_000);
    expect(await tokens.verify(token)).toMatchObject(invalid);
  });

  test("may have their keys at an address of their own", async () => {
    const tokens = issuerTokens({ issuer: "urn:issuer", audience, jwksUri: `${issuer}/keys` }, clock);
    const token = await sign({ sub: "ann", aud: audience, iss: "urn:issuer" });
    expect(await tokens.verify(token)).toMatchObject({ ok: true });
  });

  test.each([
    { what: "no keys at their address", reply: { status: 404, body: "" } },
    { what: "an issuer in trouble", reply: { status: 500, body: "{}" } },
    { what: "an answer that is not JSON", reply: { status: 200, body: "<html>" } },
    { what: "an answer that is no set of keys", reply: { status: 200, body: "{}" } },
  ])("are not called bad because of $what", async ({ reply }) => {
    answer = () => reply;
    onTestFinished(() => {
      answer = asPublished;
    });
    const token = await sign({ sub: "ann", ...usual() });
    await expect(issuerTokens({ issuer, audience }, clock).verify(token)).rejects.toMatchObject(unavailable);
  });

  test("are not called bad because nobody answers for their issuer", async () => {
    const tokens = issuerTokens({ issuer: "http://127.0.0.1:1", audience }, clock);
    await expect(tokens.verify(await sign({ sub: "ann" }))).rejects.toMatchObject(unavailable);
  });
});
