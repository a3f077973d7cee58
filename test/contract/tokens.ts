import fc from "fast-check";
import { type JWTPayload, UnsecuredJWT } from "jose";
import { expect, test } from "vitest";
import type { Clock, Tokens } from "../../shared/ports.ts";
import { memoryClock } from "../../testing/memory/clock.ts";

export interface TokensUnderTest {
  readonly tokens: Tokens;
  /** Signs claims as whoever the tokens trust; with `forged` by a key of one's own. */
  sign(claims: JWTPayload, forged?: boolean): Promise<string>;
  /** Claims that a good token has here, beside those under test. */
  readonly usual: JWTPayload;
}

/** What every Tokens owes its callers, whatever it trusts. */
export function tokensContract(open: (clock: Clock) => Promise<TokensUnderTest>): void {
  const clock = memoryClock();
  const seconds = (from: number) => Math.floor(clock.now() / 1000) + from;
  const verify = async (claims: Record<string, unknown>, forged?: boolean) => {
    const { tokens, sign, usual } = await open(clock);
    return tokens.verify(await sign({ sub: "ann", exp: seconds(60), ...usual, ...claims }, forged));
  };
  const refused = (code: string, says = "") => ({
    ok: false,
    refusal: { code, detail: expect.stringContaining(says) },
  });

  test("says whom a token speaks for", async () => {
    const claims = { tags: ["region:gd"], subscribe: ["orders/*"], publish: ["user:*"], admin: true };
    expect(await verify({ sub: "auth0|Zoë", ...claims })).toEqual({
      ok: true,
      value: { sub: "auth0|Zoë", ...claims, exp: seconds(60) },
    });
  });

  test("grants nothing that a token does not say", async () => {
    expect(await verify({ scope: "admin", roles: ["*"] })).toEqual({
      ok: true,
      value: { sub: "ann", tags: [], subscribe: [], publish: [], admin: false, exp: seconds(60) },
    });
  });

  test("refuses a token without an end, and says so", async () => {
    expect(await verify({ exp: undefined })).toMatchObject(refused("TOKEN_INVALID", "/exp is missing"));
  });

  test("takes a token whose end our clock has just passed", async () => {
    expect(await verify({ exp: seconds(-2) })).toMatchObject({ ok: true });
  });

  test("refuses a token that has expired, by a code of its own", async () => {
    expect(await verify({ exp: seconds(-60) })).toMatchObject(refused("TOKEN_EXPIRED"));
  });

  test("refuses a token that expires after it was good", async () => {
    const { tokens, sign, usual } = await open(clock);
    const token = await sign({ sub: "ann", ...usual, exp: seconds(30) });
    expect(await tokens.verify(token)).toMatchObject({ ok: true });
    clock.advance(30_000);
    expect(await tokens.verify(token)).toMatchObject({ ok: true });
    clock.advance(10_000);
    expect(await tokens.verify(token)).toMatchObject(refused("TOKEN_EXPIRED"));
  });

  test("takes one token for another no more than once it has seen both", async () => {
    const { tokens, sign, usual } = await open(clock);
    const good = await sign({ sub: "ann", exp: seconds(60), ...usual });
    const other = await sign({ sub: "bob", exp: seconds(60), ...usual });
    const forged = await sign({ sub: "eve", exp: seconds(60), ...usual }, true);
    for (let i = 0; i < 2; i++) {
      expect(await tokens.verify(good)).toMatchObject({ value: { sub: "ann" } });
      expect(await tokens.verify(other)).toMatchObject({ value: { sub: "bob" } });
      expect(await tokens.verify(forged)).toMatchObject(refused("TOKEN_INVALID"));
    }
  });

  test.each([
    { why: "its time has not come", claims: () => ({ nbf: seconds(60) }), says: '"nbf"' },
    { why: "its beginning is a text", claims: () => ({ nbf: "now" }), says: '"nbf" claim must be a number' },
    { why: "it was issued in the future", claims: () => ({ iat: seconds(60) }), says: "(iat)" },
    { why: "its issue is a text", claims: () => ({ iat: "now" }), says: '"iat" claim must be a number' },
    { why: "its end is a text", claims: () => ({ exp: "1h" }), says: '"exp" claim must be a number' },
    { why: "its end is null", claims: () => ({ exp: null }), says: '"exp" claim must be a number' },
    { why: "its end is in milliseconds", claims: () => ({ exp: clock.now() }), says: "not milliseconds" },
    { why: "its end is past all time", claims: () => ({ exp: 1e300 }), says: "/exp must be seconds" },
  ])("refuses a token well signed when $why, and says so", async ({ claims, says }) => {
    expect(await verify(claims())).toMatchObject(refused("TOKEN_INVALID", says));
  });

  test("takes a token of a clock that is a little ahead", async () => {
    expect(await verify({ iat: seconds(3), nbf: seconds(3) })).toMatchObject({ ok: true });
  });

  test("takes a token whose end is a fraction of a second", async () => {
    expect(await verify({ exp: seconds(60) + 0.5 })).toMatchObject({ ok: true });
  });

  test("refuses a token that somebody else signed", async () => {
    expect(await verify({}, true)).toMatchObject(refused("TOKEN_INVALID"));
  });

  test("refuses a token that nobody signed", async () => {
    const { tokens, usual } = await open(clock);
    const none = new UnsecuredJWT({ ...usual, sub: "ann" }).setExpirationTime("1h").encode();
    expect(await tokens.verify(none)).toMatchObject(refused("TOKEN_INVALID"));
    expect(await tokens.verify(`${none}c2lnbmVk`)).toMatchObject(refused("TOKEN_INVALID"));
  });

  test("refuses a token whose claims were changed after it was signed", async () => {
    const { tokens, sign, usual } = await open(clock);
    const [header, , signature] = (await sign({ ...usual, sub: "ann", exp: seconds(60) })).split(".");
    const claims = Buffer.from(
      JSON.stringify({ ...usual, sub: "ann", exp: seconds(60), admin: true }),
    ).toString("base64url");
    expect(await tokens.verify(`${header}.${claims}.${signature}`)).toMatchObject(refused("TOKEN_INVALID"));
  });

  test.each([
    { why: "there is no sub", claims: { sub: undefined }, says: "/sub" },
    { why: "sub is a pattern", claims: { sub: "*" }, says: "/sub" },
    { why: "a tag names a user", claims: { tags: ["region:gd", "user:bob"] }, says: "/tags/1" },
    { why: "a tag is everyone", claims: { tags: ["everyone"] }, says: "/tags/0" },
    { why: "a list is a text", claims: { publish: "*" }, says: "/publish" },
    { why: "admin is a text", claims: { admin: "yes" }, says: "/admin" },
    { why: "many claims are bad", claims: { sub: "", tags: 1, subscribe: [7] }, says: "/subscribe/0" },
  ])("refuses a token well signed when $why, and says so", async ({ claims, says }) => {
    expect(await verify(claims)).toMatchObject(refused("TOKEN_INVALID", says));
  });

  test("refuses what is no token, and never throws for it", async () => {
    const { tokens, sign, usual } = await open(clock);
    const good = await sign({ ...usual, sub: "ann", exp: seconds(60) });
    const base64 = fc.oneof(
      fc.base64String(),
      fc.json().map((text) => Buffer.from(text).toString("base64url")),
    );
    const headers = fc
      .record({
        alg: fc.constantFrom("none", "HS256", "HS512", "RS256", "ES256", "EdDSA", "dir", ""),
        kid: fc.string(),
      })
      .map((header) => Buffer.from(JSON.stringify(header)).toString("base64url"));
    const texts = fc.oneof(
      fc.string(),
      fc.array(base64, { minLength: 1, maxLength: 5 }).map((parts) => parts.join(".")),
      fc.tuple(headers, base64, base64).map((parts) => parts.join(".")),
      fc.nat(good.length - 1).map((at) => good.slice(0, at)),
    );
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        expect(await tokens.verify(text)).toMatchObject(refused("TOKEN_INVALID"));
      }),
      { numRuns: 300 },
    );
  });
}
