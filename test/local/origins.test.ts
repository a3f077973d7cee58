import { once } from "node:events";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { origins } from "../../local/gateway/origins.ts";
import { exchange, HANDSHAKE, rawRequest } from "../support/raw.ts";
import { startTiny } from "./support.ts";

const ALLOWED = ["https://app.example", "http://devbox:5173"];

test.each([
  { origin: undefined, allowed: true },
  { origin: "http://localhost", allowed: true },
  { origin: "http://localhost:5173", allowed: true },
  { origin: "https://127.0.0.1:8443", allowed: true },
  { origin: "http://[::1]:3000", allowed: true },
  { origin: "https://app.example", allowed: true },
  { origin: "https://app.example:8443", allowed: false },
  { origin: "http://app.example", allowed: false },
  { origin: "https://evil.example", allowed: false },
  { origin: "http://localhost.evil.example", allowed: false },
  { origin: "http://evil.example/localhost", allowed: false },
  { origin: "ftp://localhost", allowed: false },
  { origin: "null", allowed: false },
  { origin: "", allowed: false },
])("the origin $origin is allowed: $allowed", ({ origin, allowed }) => {
  expect(origins(ALLOWED).allowsOrigin(origin)).toBe(allowed);
});

test.each([
  { host: undefined, allowed: true },
  { host: "127.0.0.1:3000", allowed: true },
  { host: "localhost:3000", allowed: true },
  { host: "[::1]:3000", allowed: true },
  { host: "devbox:3000", allowed: true },
  { host: "app.example", allowed: true },
  { host: "rebound.evil.example:3000", allowed: false },
  { host: "127.0.0.1.evil.example", allowed: false },
  { host: "", allowed: false },
])("the host $host is allowed: $allowed", ({ host, allowed }) => {
  expect(origins(ALLOWED).allowsHost(host)).toBe(allowed);
});

const FOREIGN = [{ origin: "https://evil.example" }, { host: "rebound.evil.example" }];
const PROBLEM = expect.stringContaining('"code":"ORIGIN_FORBIDDEN"');

test.each(FOREIGN)("a request and a socket with %o are refused before any function runs", async (foreign) => {
  const { url, seen } = await startTiny();
  const headers = { host: "127.0.0.1", connection: "close", "content-length": "0", ...foreign };
  const posted = await exchange(url, rawRequest("POST /v1/messages", headers));
  expect(posted).toEqual({ status: 403, text: PROBLEM });
  expect(posted.text).not.toMatch(/access-control-allow-origin/i);
  expect(await exchange(url, rawRequest("GET /", { ...headers, ...HANDSHAKE }))).toEqual({
    status: 403,
    text: PROBLEM,
  });
  expect([seen.http, seen.sockets]).toEqual([[], []]);
});

test("a socket of an allowed origin and host is opened", async () => {
  const { socketUrl } = await startTiny({}, { origins: ALLOWED });
  const headers = { origin: "https://app.example", host: "devbox:3000" };
  const socket = new WebSocket(socketUrl, { headers });
  await once(socket, "open");
  socket.terminate();
});

test("a page of an allowed origin may send what the stack allows, and read what it exposes", async () => {
  const { url, seen } = await startTiny();
  const origin = "http://localhost:5173";
  const headers = { origin, "access-control-request-method": "POST" };
  const preflight = await fetch(`${url}/v1/messages`, { method: "OPTIONS", headers });
  const list = (name: string) => preflight.headers.get(name)?.split(",").sort();
  expect(preflight.status).toBe(204);
  expect(preflight.headers.get("access-control-allow-origin")).toBe(origin);
  expect(list("access-control-allow-methods")).toEqual(["DELETE", "GET", "OPTIONS", "POST"]);
  expect(list("access-control-allow-headers")).toEqual([
    "authorization",
    "content-type",
    "idempotency-key",
    "traceparent",
    "tracestate",
  ]);
  const posted = await fetch(`${url}/v1/messages`, { method: "POST", headers: { origin } });
  expect(posted.headers.get("access-control-allow-origin")).toBe(origin);
  expect(posted.headers.get("vary")).toMatch(/origin/i);
  expect(posted.headers.get("access-control-expose-headers")).toBe("retry-after,location");
  expect(seen.http).toHaveLength(1);
});

test("a preflight of another origin is refused", async () => {
  const { url } = await startTiny();
  const headers = { origin: "https://evil.example", "access-control-request-method": "POST" };
  const preflight = await fetch(`${url}/v1/messages`, { method: "OPTIONS", headers });
  expect(preflight.status).toBe(403);
  expect(preflight.headers.get("access-control-allow-origin")).toBeNull();
});
