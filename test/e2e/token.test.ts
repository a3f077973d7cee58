import { expect, test } from "vitest";
import { call, connect, open } from "./support/client.ts";
import { deployment } from "./support/deployment.ts";

const router = deployment();
const message = { target: { topic: "orders" }, data: 1 };
const STRANGER = "another-secret-of-at-least-thirty-two-bytes";
const LONG_AGO = 1_000_000_000;

const BAD_TOKENS = [
  { why: "there is no token", token: async () => undefined, code: "TOKEN_MISSING" },
  {
    why: "the token is signed with another secret",
    token: () => router.token("mallory", {}, STRANGER),
    code: "TOKEN_INVALID",
  },
  {
    why: "the token has expired",
    token: () => router.token("late", { exp: LONG_AGO }),
    code: "TOKEN_EXPIRED",
  },
];

test.each(BAD_TOKENS)("a POST is refused when $why", async ({ token, code }) => {
  const answer = await call(router, "/v1/messages", { method: "POST", token: await token(), body: message });
  expect(answer).toMatchObject({ status: 401, body: { code } });
});

test.each(BAD_TOKENS)("a receipt is refused when $why", async ({ token, code }) => {
  const answer = await call(router, "/v1/messages/some-id", { token: await token() });
  expect(answer).toMatchObject({ status: 401, body: { code } });
});

// API Gateway passes 401 on. MiniStack has 403 for every refusal.
test.each(BAD_TOKENS)("a connection is refused when $why", async ({ token }) => {
  await expect(open(router, await token())).rejects.toThrow(/refused with 40[13]/);
});

test("a POST to a target outside the token's grant is refused", async () => {
  const token = await router.token("narrow", { publish: ["topic:news"] });
  const answer = await call(router, "/v1/messages", { method: "POST", token, body: message });
  expect(answer).toMatchObject({ status: 403, body: { code: "TARGET_FORBIDDEN" } });
});

test("a topic outside the token's grant is refused, and the socket stays open", async () => {
  const client = await connect(router, "nosy", { subscribe: ["news"] });
  expect(await client.request({ type: "subscribe", topics: ["secret"], ref: 1 })).toMatchObject({
    type: "subscribed",
    topics: [],
    refused: [{ topic: "secret", code: "TOPIC_FORBIDDEN" }],
    ref: 1,
  });
  expect(await client.request({ type: "subscribe", topics: ["news"], ref: 2 })).toEqual({
    type: "subscribed",
    topics: ["news"],
    ref: 2,
  });
  await client.close();
});
