import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { describe, expect, onTestFinished, test } from "vitest";
import { issuerTokens } from "../../shared/adapters/jwt/issuer-tokens.ts";
import { KEY_TIMES, keptKeys } from "../../shared/adapters/jwt/kept-keys.ts";
import { rememberedTokens } from "../../shared/adapters/jwt/remembered.ts";
import { secretTokens } from "../../shared/adapters/jwt/secret-tokens.ts";
import { memoryClock } from "../../testing/memory/clock.ts";
import { claimsOf, signToken } from "../../testing/sign-token.ts";
import { publish } from "../support/issuer.ts";

const SECRET = "a-secret-of-at-least-thirty-two-bytes";

/** Keys whose reading a test ends as it likes. */
function keys() {
  const clock = memoryClock();
  const readings: { resolve(keys: string): void; reject(fault: unknown): void }[] = [];
  const read = () => new Promise<string>((resolve, reject) => readings.push({ resolve, reject }));
  const kept = keptKeys(read, clock);
  const settle = async <T>(call: Promise<T>, end: string | Error): Promise<T> => {
    const reading = readings.at(-1);
    if (end instanceof Error) reading?.reject(end);
    else reading?.resolve(end);
    return call;
  };
  return { clock, kept, readings, settle };
}

describe("keys that are kept", () => {
  test("are read once for all tokens that wait for them", async () => {
    const { kept, readings, settle } = keys();
    const waiting = [kept.current(), kept.current(), kept.renewed()];
    expect(await settle(Promise.all(waiting), "one")).toEqual(["one", "one", "one"]);
    expect(readings).toHaveLength(1);
  });

  test("that were never read are the fault of their reading, again after a second", async () => {
    const { clock, kept, readings, settle } = keys();
    const fault = new Error("no such issuer");
    await expect(settle(kept.current(), fault)).rejects.toBe(fault);
    clock.advance(KEY_TIMES.firstCoolDown - 1);
    await expect(kept.current()).rejects.toBe(fault);
    expect(readings).toHaveLength(1);
    clock.advance(1);
    expect(await settle(kept.current(), "one")).toBe("one");
  });

  test.each([
    { age: KEY_TIMES.maxAge - 1, readings: 1 },
    { age: KEY_TIMES.maxAge, readings: 2 },
    { age: -1, readings: 2 },
  ])("that are $age ms old were read $readings times", async ({ age, readings: expected }) => {
    const { clock, kept, readings, settle } = keys();
    await settle(kept.current(), "one");
    clock.advance(age);
    expect(await settle(kept.current(), "two")).toBe(expected === 1 ? "one" : "two");
    expect(readings).toHaveLength(expected);
  });

  test("are known while they cannot be read again, and read again after half a minute", async () => {
    const { clock, kept, readings, settle } = keys();
    await settle(kept.current(), "one");
    clock.advance(KEY_TIMES.maxAge);
    expect(await settle(kept.current(), new Error("down"))).toBe("one");
    clock.advance(KEY_TIMES.coolDown - 1);
    expect(await kept.current()).toBe("one");
    expect(readings).toHaveLength(2);
    clock.advance(1);
    expect(await settle(kept.current(), "two")).toBe("two");
  });

  test("are renewed at most once in half a minute, and say so if the last reading failed", async () => {
    const { clock, kept, readings, settle } = keys();
    const fault = new Error("down");
    await settle(kept.current(), "one");
    expect(await kept.renewed()).toBe("one");
    expect(readings).toHaveLength(1);
    clock.advance(KEY_TIMES.coolDown);
    await expect(settle(kept.renewed(), fault)).rejects.toBe(fault);
    await expect(kept.renewed()).rejects.toBe(fault);
    expect(await kept.current()).toBe("one");
    clock.advance(KEY_TIMES.coolDown);
    expect(await settle(kept.renewed(), "two")).toBe("two");
    expect(readings).toHaveLength(3);
  });
});

describe("tokens that are remembered", () => {
  const container = () => {
    const clock = memoryClock();
    const verified: string[] = [];
    const seconds = clock.now() / 1000;
    const tokens = rememberedTokens(clock, undefined, async (token) => {
      verified.push(token);
      return { sub: "ann", exp: seconds + 30, ...(token === "long" ? { exp: seconds + 3_600 } : {}) };
    });
    return { clock, verified, verify: tokens.verify };
  };

  test.each([
    { token: "long", after: 59_999, times: 1 },
    { token: "long", after: 60_000, times: 2 },
    // Its end and the five seconds that clocks may differ.
    { token: "short", after: 34_999, times: 1 },
    { token: "short", after: 35_000, times: 2 },
    { token: "long", after: -1, times: 2 },
  ])("$token: looked at again after $after ms, verified $times times", async ({ token, after, times }) => {
    const { clock, verified, verify } = container();
    await verify(token);
    clock.advance(after);
    await verify(token);
    expect(verified).toHaveLength(times);
  });

  test("are a thousand at most: the oldest is forgotten first, and none else", async () => {
    const { verified, verify } = container();
    for (let i = 0; i <= 1_000; i++) await verify(`t${i}`);
    expect(verified).toHaveLength(1_001);
    for (let i = 1; i <= 1_000; i++) await verify(`t${i}`);
    expect(verified).toHaveLength(1_001);
    await verify("t0");
    expect(verified).toHaveLength(1_002);
  });
});

describe("a token that is bad or cannot be judged says why", () => {
  const clock = memoryClock();
  const exp = clock.now() / 1000 + 60;

  test.each([
    { why: "in the future by more than clocks differ", iat: clock.now() / 1000 + 6, ok: false },
    { why: "in the future by as much as clocks differ", iat: clock.now() / 1000 + 5, ok: true },
  ])("issued $why", async ({ iat, ok }) => {
    const tokens = secretTokens(async () => ({ text: SECRET }), clock);
    const result = await tokens.verify(await signToken({ sub: "ann", exp, iat }, { secret: SECRET }));
    expect(result.ok).toBe(ok);
    if (!result.ok)
      expect(result.refusal.detail).toBe("the token cannot be trusted: it was issued in the future (iat)");
  });

  test.each([
    {
      why: "a secret that is too short",
      text: "x".repeat(31),
      says: "the secret must have at least 32 bytes, got 31",
    },
    { why: "no secret", text: undefined, says: "the secret has no current version" },
  ])("over $why", async ({ text, says }) => {
    const tokens = secretTokens(async () => (text === undefined ? undefined : { text }), clock);
    const token = await signToken({ sub: "ann", exp }, { secret: SECRET });
    await expect(tokens.verify(token)).rejects.toMatchObject({
      ...{
        code: "KEYS_UNAVAILABLE",
        message: `no keys to check tokens with: ${says}`,
        cause: { message: says },
      },
    });
  });

  test("a secret of 32 bytes is long enough, however few characters they are", async () => {
    const secret = "ä".repeat(16);
    const tokens = secretTokens(async () => ({ text: secret }), clock);
    expect(await tokens.verify(await signToken({ sub: "ann", exp }, { secret }))).toMatchObject({ ok: true });
  });

  test.each([
    { what: "has expired", claims: { exp: clock.now() / 1000 - 60 }, code: "TOKEN_EXPIRED" },
    { what: "is for someone else", claims: { aud: "elsewhere" }, code: "TOKEN_INVALID" },
    { what: "is as it should be", claims: {}, code: undefined },
  ])("and of several keys that fit it, the one that signed a token which $what is found", async ({
    claims,
    code,
  }) => {
    const pairs = await Promise.all([generateKeyPair("ES256"), generateKeyPair("ES256")]);
    const jwks = await Promise.all(pairs.map(({ publicKey }) => exportJWK(publicKey)));
    const issuer = await publish({ "/.well-known/jwks.json": jwks });
    onTestFinished(issuer.stop);
    const tokens = issuerTokens({ issuer: `${issuer.url}/`, audience: "tagwire" }, clock);
    for (const { privateKey } of pairs) {
      const usual = { sub: "ann", iss: `${issuer.url}/`, aud: "tagwire", exp, ...claims };
      const token = await new SignJWT(claimsOf(usual)).setProtectedHeader({ alg: "ES256" }).sign(privateKey);
      const result = await tokens.verify(token);
      expect(result.ok ? undefined : result.refusal.code).toBe(code);
    }
  });
});
