import { generateKeyPairSync } from "node:crypto";
import { decodeJwt, decodeProtectedHeader, exportJWK, jwtVerify } from "jose";
import { expect, test } from "vitest";
import { mintToken } from "../../server/mint-token.ts";
import { problem } from "../../shared/protocol/errors.ts";
import { DEV_SECRET } from "../../shared/settings/dev-secret.ts";
import { type Answer, type Asked, accepting, scripted } from "./support.ts";

const SECRET = "a-secret-of-thirty-two-bytes-or-more";
const AT = new Date("2026-01-01T00:00:00Z");
const MESSAGE = { target: { topic: "orders" }, data: 1 };
const keyOf = (secret: string) => new TextEncoder().encode(secret);

test("a token of a secret says what it was told, and holds for an hour", async () => {
  const token = await mintToken({
    user: "ann",
    tags: ["region:gd"],
    subscribe: ["orders/*"],
    publish: ["user:*"],
    admin: true,
    secret: SECRET,
    issuedAt: AT,
  });
  const { payload, protectedHeader } = await jwtVerify(token, keyOf(SECRET), { currentDate: AT });
  expect(protectedHeader).toMatchObject({ alg: "HS256" });
  expect(payload).toEqual({
    sub: "ann",
    iat: AT.getTime() / 1000,
    exp: AT.getTime() / 1000 + 3_600,
    tagwire: { tags: ["region:gd"], subscribe: ["orders/*"], publish: ["user:*"], admin: true },
  });
});

test("a token grants nothing that it was not told", async () => {
  const token = await mintToken({
    user: "ann",
    secret: SECRET,
    ttlSeconds: 60,
    claim: "https://acme.example/t",
  });
  const { exp = 0, iat = 0, ...rest } = decodeJwt(token);
  expect(exp - iat).toBe(60);
  expect(rest).toEqual({
    sub: "ann",
    "https://acme.example/t": { tags: [], subscribe: [], publish: [], admin: false },
  });
});

test.each([
  "KeyObject",
  "JWK",
])("a %s signs with its algorithm, key id, issuer and audience", async (kind) => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const key = kind === "JWK" ? await exportJWK(privateKey) : privateKey;
  const issuer = "https://issuer.example";
  const token = await mintToken({
    user: "ann",
    key,
    algorithm: "ES256",
    keyId: "k-1",
    issuer,
    audience: "web",
  });
  expect(decodeProtectedHeader(token)).toMatchObject({ alg: "ES256", kid: "k-1" });
  const { payload } = await jwtVerify(token, publicKey, { issuer, audience: "web" });
  expect(payload.sub).toBe("ann");
});

test.each([
  {
    why: "the user has a space",
    claims: { user: "a b" },
    code: "TOKEN_INVALID",
    says: "/sub must be a user",
  },
  {
    why: "a tag is none",
    claims: { tags: ["vip"] },
    code: "TOKEN_INVALID",
    says: "/tagwire/tags/0 must be a tag",
  },
  { why: "a tag names a user", claims: { tags: ["user:b"] }, code: "TOKEN_INVALID", says: "sub does" },
  {
    why: "the time to live is no number",
    claims: { ttlSeconds: Number.NaN },
    code: "TOKEN_INVALID",
    says: "/exp",
  },
  ...[0, -60].map((ttlSeconds) => ({
    why: `it would hold for ${ttlSeconds} seconds`,
    claims: { ttlSeconds },
    code: "TOKEN_INVALID",
    says: "/exp must be later than /iat",
  })),
  {
    why: "the secret is short",
    claims: { secret: "short" },
    code: "SECRET_INVALID",
    says: "at least 32 bytes, got 5",
  },
  {
    why: "the secret is empty",
    claims: { secret: "" },
    code: "SECRET_INVALID",
    says: "at least 32 bytes, got 0",
  },
])("no token is made when $why", async ({ claims, code, says }) => {
  await expect(mintToken({ user: "ann", secret: SECRET, ...claims })).rejects.toMatchObject({
    code,
    message: expect.stringContaining(says),
  });
});

const bearer = ({ headers }: Asked) => String(headers.authorization).replace("Bearer ", "");

test("no token is made of neither a secret nor a key, as plain JavaScript may ask for one", async () => {
  const claims = { user: "ann" } as Parameters<typeof mintToken>[0];
  await expect(mintToken(claims)).rejects.toMatchObject({ code: "SECRET_INVALID" });
});

test("a publisher with a secret signs tokens of five minutes, and a new one 30 seconds before their end", async () => {
  const { publisher, asked, clock } = await scripted(accepting, { secret: DEV_SECRET, user: "shop" });
  await Promise.all([publisher.publish(MESSAGE), publisher.publish(MESSAGE)]);
  clock.advance(269_000);
  await publisher.publish(MESSAGE);
  clock.advance(2_000);
  await publisher.publish(MESSAGE);
  const tokens = asked.map(bearer);
  expect(new Set(tokens.slice(0, 3)).size).toBe(1);
  expect(tokens[3]).not.toBe(tokens[0]);
  for (const { at, ...request } of asked) {
    const currentDate = new Date(AT.getTime() + at);
    const { payload } = await jwtVerify(bearer({ at, ...request }), keyOf(DEV_SECRET), { currentDate });
    expect(payload).toMatchObject({ sub: "shop", tagwire: { publish: ["*"], admin: true } });
  }
});

const refused: Answer = {
  status: 401,
  body: problem({ code: "TOKEN_INVALID", detail: "signed with another secret" }),
};

test("a 401 makes the publisher ask for another token, once", async () => {
  const given = ["old", "new"];
  const token = () => given.shift() ?? "newest";
  const good = (asked: Asked) => (bearer(asked) === "new" ? accepting(asked) : refused);
  const { publisher, asked } = await scripted(good, { token });
  expect(await publisher.publish(MESSAGE)).toMatchObject({ state: "queued" });
  expect(asked.map(bearer)).toEqual(["old", "new"]);
  const { publisher: never, asked: twice } = await scripted([refused], { token });
  await expect(never.publish(MESSAGE)).rejects.toMatchObject({ code: "TOKEN_INVALID" });
  expect(twice).toHaveLength(1);
});

test("a function that returns no token is named, and asked again for the next call", async () => {
  let calls = 0;
  const token = () => {
    if (++calls === 1) throw new Error("the issuer is away");
    return "good";
  };
  const { publisher, asked } = await scripted(accepting, { token });
  await expect(publisher.publish(MESSAGE)).rejects.toMatchObject({
    code: "TOKEN_UNAVAILABLE",
    cause: { message: "the issuer is away" },
  });
  expect(asked).toEqual([]);
  expect(await publisher.publish(MESSAGE)).toMatchObject({ state: "queued" });
});

test.each([
  { what: "nothing", token: undefined },
  { what: "a text that no header can hold", token: "hush\nhush" },
])("a function that returns $what is named, and what it returned is not told", async ({ token }) => {
  const { publisher, asked } = await scripted(accepting, { token: () => token as string });
  const fault = await publisher.publish(MESSAGE).catch((error: unknown) => error as Error);
  expect(fault).toMatchObject({ code: "TOKEN_UNAVAILABLE" });
  expect(String(fault)).not.toContain("hush");
  expect(asked).toEqual([]);
});

test("a token with a line's end after it, as a file has it, is one", async () => {
  const { publisher, asked } = await scripted(accepting, { token: "a.token\n" });
  await publisher.publish(MESSAGE);
  expect(asked.map(bearer)).toEqual(["a.token"]);
});

test("an option that is undefined is one that is absent", async () => {
  const secret = { token: undefined, secret: DEV_SECRET, user: "shop" } as object;
  const { publisher, asked } = await scripted(accepting, secret);
  expect(await publisher.publish(MESSAGE)).toMatchObject({ state: "queued" });
  expect(decodeJwt(bearer(asked[0] as Asked)).sub).toBe("shop");
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const key = { user: "ann", secret: undefined, key: privateKey, algorithm: "ES256" } as object;
  const token = await mintToken(key as Parameters<typeof mintToken>[0]);
  expect(decodeProtectedHeader(token)).toMatchObject({ alg: "ES256" });
});
