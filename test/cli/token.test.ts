import { jwtVerify } from "jose";
import { expect, test } from "vitest";
import { DEV_SECRET } from "../../shared/settings/dev-secret.ts";
import { tagwire } from "../support/command.ts";

const NOW = 1_800_000_000_000;
const SECRET = "a-secret-of-thirty-two-bytes-or-more";

async function claimsOf(token: string, secret = DEV_SECRET) {
  const key = new TextEncoder().encode(secret);
  const options = { algorithms: ["HS256"], currentDate: new Date(NOW) };
  return (await jwtVerify(token.trim(), key, options)).payload;
}

test("a token says what the options say, and holds for a day", async () => {
  const argv = ["token", "--user", "ann", "--tag", "region:gd", "--tag", "vip:yes"];
  const grants = ["--subscribe", "orders/*", "--publish", "topic:orders", "--publish", "user:*", "--admin"];
  const { code, out } = await tagwire([...argv, ...grants], { now: NOW });
  expect(code).toBe(0);
  expect(await claimsOf(out)).toEqual({
    sub: "ann",
    tagwire: {
      tags: ["region:gd", "vip:yes"],
      subscribe: ["orders/*"],
      publish: ["topic:orders", "user:*"],
      admin: true,
    },
    iat: NOW / 1000,
    exp: NOW / 1000 + 86_400,
  });
});

test("a token without grants may do nothing", async () => {
  const { out } = await tagwire(["token", "--user", "ann", "--ttl", "60"], { now: NOW });
  expect(await claimsOf(out)).toMatchObject({
    tagwire: { tags: [], subscribe: [], publish: [], admin: false },
    exp: NOW / 1000 + 60,
  });
});

test("TAGWIRE_SECRET signs it", async () => {
  const env = { TAGWIRE_SECRET: SECRET };
  const { out } = await tagwire(["token", "--user", "ann", "--json"], { env, now: NOW });
  const { token } = JSON.parse(out);
  expect(await claimsOf(token, SECRET)).toMatchObject({ sub: "ann" });
  await expect(claimsOf(token)).rejects.toMatchObject({ code: "ERR_JWS_SIGNATURE_VERIFICATION_FAILED" });
});

test.each([
  { why: "there is no user", argv: ["token"], says: "required option '--user <user>'" },
  { why: "the user has a space", argv: ["token", "--user", "a b"], says: "/sub must be a user" },
  { why: "a tag is none", argv: ["token", "--user", "a", "--tag", "vip"], says: "/tags/0 must be a tag" },
  { why: "a tag names a user", argv: ["token", "--user", "a", "--tag", "user:b"], says: "sub does" },
  { why: "the ttl is no number", argv: ["token", "--user", "a", "--ttl", "1h"], says: "whole number" },
])("no token is made when $why", async ({ argv, says }) => {
  const { code, out, err } = await tagwire(argv);
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toContain(says);
  expect(err.trim().split("\n")).toHaveLength(1);
});

test("an empty secret is refused, instead of signing with the one that everybody knows", async () => {
  const { code, err } = await tagwire(["token", "--user", "a"], { env: { TAGWIRE_SECRET: "" } });
  expect({ code, err }).toEqual({
    code: 1,
    err: "tagwire: TAGWIRE_SECRET is empty: set it to the router's secret, or unset it for a local router\n",
  });
});

test("a short secret is refused, since it could be guessed", async () => {
  const { code, err } = await tagwire(["token", "--user", "a"], { env: { TAGWIRE_SECRET: "short" } });
  expect({ code, err }).toEqual({
    code: 1,
    err: "tagwire: TAGWIRE_SECRET: the secret must have at least 32 bytes, got 5\n",
  });
});
