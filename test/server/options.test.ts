import { expect, test } from "vitest";
import { type PublisherOptions, publisher } from "../../server/index.ts";
import { accepting, scripted } from "./support.ts";

const GOOD = { url: "http://127.0.0.1:3000", token: "t" };

test.each([
  {
    why: "the address is none",
    options: { ...GOOD, url: "localhost:3000" },
    says: "/url must be an address",
  },
  { why: "the address is missing", options: { token: "t" }, says: "/url" },
  {
    why: "the address holds a password",
    options: { ...GOOD, url: "http://ann:hush@127.0.0.1:3000" },
    says: "/url must have no user and password",
  },
  ...["hush\nhush", "\nhush", "hush…"].map((token) => ({
    why: `no header can hold the token ${JSON.stringify(token)}`,
    options: { ...GOOD, token },
    says: "/token must be a text that a header can hold",
  })),
  { why: "there is no token", options: { url: GOOD.url }, says: "give either token, or secret and user" },
  { why: "there are two", options: { ...GOOD, secret: "s", user: "u" }, says: "give either" },
  { why: "the user is missing", options: { url: GOOD.url, secret: "s" }, says: "/user is missing" },
  { why: "an option is unknown", options: { ...GOOD, retries: 3 }, says: "/retries is not a known field" },
  { why: "there is no attempt", options: { ...GOOD, maxAttempts: 0 }, says: "/maxAttempts must be" },
  { why: "an attempt is a fraction", options: { ...GOOD, maxAttempts: 1.5 }, says: "/maxAttempts" },
  {
    why: "a time is negative",
    options: { ...GOOD, retrySeconds: -1 },
    says: "/retrySeconds must be seconds",
  },
  { why: "two are wrong", options: { ...GOOD, a: 1, b: 2 }, says: "/a is not a known field; /b" },
])("no publisher is made when $why", ({ options, says }) => {
  const make = () => publisher(options as unknown as PublisherOptions);
  expect(make).toThrow(
    expect.objectContaining({ code: "OPTIONS_INVALID", message: expect.stringContaining(says) }),
  );
  expect(make).not.toThrow("hush");
});

test.each(["", "/", "/prod", "/prod/"])("the path %o of the address is kept", async (path) => {
  const { publisher: it, asked } = await scripted(accepting, {}, { path });
  await it.publish({ target: { everyone: true }, data: 1 });
  expect(asked[0]?.path).toBe(`${path.replace(/\/$/, "")}/v1/messages`);
});
