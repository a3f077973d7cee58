import { expect, test } from "vitest";
import { asyncApi } from "../../shared/api/asyncapi.ts";
import { openApi } from "../../shared/api/openapi.ts";
import { startTiny } from "./support.ts";

const JSON_HEADERS = { "content-type": "application/json", "X-Odd-Case": "kept", cookie: "a=1; b=2" };

test("a POST reaches ingest as an event of payload format 2.0", async () => {
  const { url, seen } = await startTiny();
  const response = await fetch(`${url}/v1/messages?x=1&x=2&y=%20`, {
    method: "POST",
    headers: JSON_HEADERS,
    body: '{"ä":1}',
  });
  expect(response.status).toBe(202);
  expect(await response.json()).toEqual({ state: "queued" });
  expect(seen.http[0]).toMatchObject({
    version: "2.0",
    routeKey: "POST /v1/messages",
    rawPath: "/v1/messages",
    rawQueryString: "x=1&x=2&y=%20",
    queryStringParameters: { x: "1,2", y: " " },
    cookies: ["a=1", "b=2"],
    headers: { "content-type": "application/json", "x-odd-case": "kept" },
    requestContext: {
      http: { method: "POST", path: "/v1/messages", protocol: "HTTP/1.1", sourceIp: "127.0.0.1" },
      stage: "$default",
      time: expect.stringMatching(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/),
    },
    body: '{"ä":1}',
    isBase64Encoded: false,
  });
  expect(seen.http[0]).not.toHaveProperty("pathParameters");
  expect(seen.http[0]?.headers).not.toHaveProperty("cookie");
});

test("a message's address carries its id, decoded, and nothing it does not have", async () => {
  const { url, seen } = await startTiny();
  await fetch(`${url}/v1/messages/a%3Ab`);
  await fetch(`${url}/v1/messages/c`, { method: "DELETE" });
  expect(seen.http.map(({ routeKey }) => routeKey)).toEqual([
    "GET /v1/messages/{id}",
    "DELETE /v1/messages/{id}",
  ]);
  expect(seen.http.map(({ pathParameters }) => pathParameters)).toEqual([{ id: "a:b" }, { id: "c" }]);
  expect(seen.http[0]).not.toHaveProperty("body");
  expect(seen.http[0]).not.toHaveProperty("queryStringParameters");
});

test("a body that is not text reaches the function in base64", async () => {
  const { url, seen } = await startTiny();
  const body = new Uint8Array([0xff, 0x00]);
  await fetch(`${url}/v1/messages`, {
    method: "POST",
    body,
    headers: { "content-type": "application/octet-stream" },
  });
  expect(seen.http[0]).toMatchObject({ body: "/wA=", isBase64Encoded: true });
});

test.each([
  { method: "GET", path: "/v1/messages" },
  { method: "PUT", path: "/v1/messages/a" },
  { method: "GET", path: "/v1/messages/a/b" },
  { method: "GET", path: "/other" },
])("$method $path is answered with a problem document", async ({ method, path }) => {
  const { url, seen } = await startTiny();
  const response = await fetch(url + path, { method });
  expect(response.status).toBe(404);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  expect(await response.json()).toMatchObject({ code: "ROUTE_NOT_FOUND", status: 404 });
  expect(seen.http).toEqual([]);
});

test("a body over the gateway's limit is refused before any function runs", async () => {
  const { url, seen } = await startTiny();
  const response = await fetch(`${url}/v1/messages`, { method: "POST", body: Buffer.alloc(10_485_761) });
  expect(response.status).toBe(413);
  expect(await response.json()).toMatchObject({ code: "BODY_TOO_LARGE" });
  expect(seen.http).toEqual([]);
});

test("a function that crashes is a 500 with the gateway's own words", async () => {
  const lines: string[] = [];
  const ingest = () => () => Promise.reject(new Error("boom"));
  const { url } = await startTiny({ ingest }, { write: (line) => lines.push(line) });
  const response = await fetch(`${url}/v1/messages`, { method: "POST" });
  expect([response.status, await response.text()]).toEqual([500, '{"message":"Internal Server Error"}']);
  expect(lines.join()).toContain("boom");
});

test("a function that outlives its timeout is a 500, one that outlives the gateway's patience a 503", async () => {
  const never = () => () => new Promise<never>(() => {});
  const { url } = await startTiny(
    { ingest: never, receipts: never },
    {
      settings: {
        advanced: { functions: { ingest: { timeoutSeconds: 1 }, receipts: { timeoutSeconds: 3 } } },
      },
      limits: { httpTimeout: 2_000 },
    },
  );
  expect((await fetch(`${url}/v1/messages`, { method: "POST" })).status).toBe(500);
  expect((await fetch(`${url}/v1/messages/a`)).status).toBe(503);
});

test.each([
  { path: "/v1/openapi.json", document: openApi() },
  { path: "/v1/asyncapi.json", document: asyncApi() },
])("$path is its document, which needs no token", async ({ path, document }) => {
  const { url } = await startTiny();
  const response = await fetch(url + path);
  expect([response.status, response.headers.get("content-type")]).toEqual([200, "application/json"]);
  expect(await response.json()).toEqual(JSON.parse(JSON.stringify(document)));
});

test("it says that it is well", async () => {
  const { url } = await startTiny();
  expect(await (await fetch(`${url}/health`)).json()).toMatchObject({
    status: "ok",
    deadLetters: { queueUrl: expect.stringMatching(/\/tagwire-dead-letters$/), region: "us-east-1" },
  });
});

test("an idle connection is kept longer than a proxy keeps it, so that no request meets its end", async () => {
  const { url } = await startTiny();
  const response = await fetch(`${url}/health`);
  await response.arrayBuffer();
  expect(response.headers.get("keep-alive")).toBe("timeout=75");
});
