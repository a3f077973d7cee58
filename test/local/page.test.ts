import { decodeJwt } from "jose";
import { expect, test } from "vitest";
import { publisher } from "../../server/index.ts";
import { exchange, rawRequest } from "../support/raw.ts";
import { startTiny } from "./support.ts";

const JSON_TYPE = { "content-type": "application/json" };

function ask(
  url: string,
  headers: Record<string, string>,
  body: unknown = { user: "ann", tags: ["region:gd"] },
) {
  return fetch(`${url}/page/token`, {
    method: "POST",
    headers: { ...JSON_TYPE, ...headers },
    body: JSON.stringify(body),
  });
}

test.each([
  { path: "/", type: "text/html; charset=utf-8", says: "<title>Tagwire" },
  { path: "/page/style.css", type: "text/css; charset=utf-8", says: "prefers-color-scheme: dark" },
  { path: "/page/script.js", type: "text/javascript; charset=utf-8", says: "tagwire.v1" },
])("GET $path is a file of the page", async ({ path, type, says }) => {
  const { url } = await startTiny();
  const response = await fetch(url + path);
  expect([response.status, response.headers.get("content-type")]).toEqual([200, type]);
  expect(await response.text()).toContain(says);
});

test("the page may load and call nothing but this router, and stands in no frame", async () => {
  const { url } = await startTiny();
  const { headers } = await fetch(url);
  const policy = headers.get("content-security-policy")?.split("; ");
  expect(policy).toEqual(
    expect.arrayContaining([
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      `connect-src 'self' ws://${new URL(url).host}`,
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
    ]),
  );
  expect(policy?.join()).not.toMatch(/unsafe|\*/);
  expect(headers.get("x-content-type-options")).toBe("nosniff");
});

test("a Host header gets no directive into the policy", async () => {
  const { url } = await startTiny();
  const request = rawRequest("GET /", { host: "localhost/; script-src *", connection: "close" });
  const { status, text } = await exchange(url, request);
  expect(status).toBe(200);
  expect(text).not.toContain("script-src *");
});

test("the page gets a token for a user, which grants no more than the page can do", async () => {
  const { url } = await startTiny();
  const response = await ask(url, { origin: url });
  expect([response.status, response.headers.get("cache-control")]).toEqual([200, "no-store"]);
  const { exp = 0, iat = 0, ...claims } = decodeJwt(((await response.json()) as { token: string }).token);
  expect(claims).toEqual({
    sub: "ann",
    tagwire: { tags: ["region:gd"], subscribe: ["*"], publish: ["*"], admin: false },
  });
  expect(exp - iat).toBe(3_600);
});

test("the token is one that the router takes", async () => {
  const { start } = await import("../../local/index.ts");
  const router = await start();
  try {
    const { token } = (await (await ask(router.url, { origin: router.url })).json()) as { token: string };
    const queued = await publisher({ url: router.url, token }).publish({
      target: { everyone: true },
      data: 1,
    });
    expect(queued.state).toBe("queued");
  } finally {
    await router.stop(0);
  }
});

test.each<{ why: string; headers: (url: string) => Record<string, string> }>([
  { why: "another page of this machine", headers: () => ({ origin: "http://localhost:5173" }) },
  {
    why: "another name of this machine",
    headers: (url) => ({ origin: url.replace("127.0.0.1", "localhost") }),
  },
  { why: "a page of TAGWIRE_ORIGINS", headers: () => ({ origin: "https://app.example" }) },
  { why: "a stranger's page", headers: () => ({ origin: "https://evil.example" }) },
  { why: "a page of a file", headers: () => ({ origin: "null" }) },
  { why: "no page", headers: () => ({}) },
  {
    why: "a page that a browser says is of another site",
    headers: (url) => ({ origin: url, "sec-fetch-site": "cross-site" }),
  },
])("$why gets no token", async ({ headers }) => {
  const { url } = await startTiny({}, { origins: ["https://app.example"] });
  const response = await ask(url, headers(url));
  expect([response.status, await response.json()]).toMatchObject([403, { code: "ORIGIN_FORBIDDEN" }]);
});

test("a name that a stranger points at this machine gets neither page nor token", async () => {
  const { url } = await startTiny();
  const host = "rebound.evil.example";
  for (const [line, more] of [
    ["GET /", {}],
    ["POST /page/token", { origin: `http://${host}`, "content-length": "0" }],
  ] as const) {
    const { status } = await exchange(url, rawRequest(line, { host, connection: "close", ...more }));
    expect(status).toBe(403);
  }
});

test("a router with a secret of its own signs nothing for its page, and says what does", async () => {
  const { url } = await startTiny({}, { secret: "a-secret-of-thirty-two-bytes-or-more" });
  const response = await ask(url, { origin: url });
  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({ detail: expect.stringContaining("tagwire token") });
});

test.each([
  { body: { user: "a b" }, says: "/sub must be a user" },
  { body: { user: "ann", tags: ["vip"] }, says: "must be a tag" },
  { body: { user: 1 }, says: "send {" },
  { body: { user: "ann", tags: "region:gd" }, says: "send {" },
  { body: null, says: "send {" },
])("$body is refused with what would do", async ({ body, says }) => {
  const { url } = await startTiny();
  const response = await ask(url, { origin: url }, body);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ detail: expect.stringContaining(says) });
});

test.each([
  "POST /",
  "GET /page/token",
  "GET /page/app/main.ts",
  "GET /page/../start.ts",
])("there is no %s", async (line) => {
  const { url } = await startTiny();
  const headers = { host: "127.0.0.1", connection: "close", "content-length": "0" };
  const { status } = await exchange(url, rawRequest(line, headers));
  expect(status).toBe(404);
});
