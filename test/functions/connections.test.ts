import { expect, test } from "vitest";
import { connectionsFunction } from "../../functions/aws/connections.ts";
import type { HttpEvent } from "../../functions/runtime/event.ts";
import { gateway } from "../adapters/gateway.ts";
import { tokenFor } from "../support/client.ts";
import { emulators } from "./support.ts";

const functions = emulators();
const ADMIN = { publish: [], subscribe: [], admin: true };
const context = { getRemainingTimeInMillis: () => 10_000 };

/** A request to disconnect; without `status` the gateway is away, with it each close has that status. */
async function ask(event: HttpEvent, { claims = ADMIN as Record<string, unknown>, status = 204 } = {}) {
  const { endpoint, seen } = await gateway(status);
  const { runtime } = functions.runtime("connections");
  const env = { ...runtime.env, SOCKET_ENDPOINT: endpoint };
  const answer = await connectionsFunction({ ...runtime, env })(
    {
      headers: { authorization: `Bearer ${await tokenFor("ops", claims)}` },
      requestContext: { http: { method: "DELETE" } },
      ...event,
    },
    context,
  );
  const body = JSON.parse(String(answer.body));
  return { status: answer.statusCode, headers: answer.headers, body, closed: seen.map(({ path }) => path) };
}

test("an admin closes a connection by its id", async () => {
  const { status, body, closed } = await ask({ pathParameters: { id: "never=" } });
  expect({ status, body }).toEqual({ status: 200, body: { closed: 1, more: false } });
  expect(closed).toEqual(["/prod/@connections/never%3D"]);
});

test("a user without connections is no error", async () => {
  const { status, body, closed } = await ask({ pathParameters: { user: "auth0|Zoë" } });
  expect({ status, body, closed }).toEqual({ status: 200, body: { closed: 0, more: false }, closed: [] });
});

test.each([
  { who: "a client", claims: { subscribe: ["*"], publish: [] } },
  { who: "a producer of everything", claims: { publish: ["*"] } },
])("$who closes nothing", async ({ claims }) => {
  for (const pathParameters of [{ id: "never=" }, { user: "ann" }]) {
    const { status, body, closed } = await ask({ pathParameters }, { claims });
    expect({ status, code: body.code, closed }).toEqual({
      ...{ status: 403, code: "DISCONNECT_FORBIDDEN", closed: [] },
    });
  }
});

test("without a token nothing is closed", async () => {
  const { status, headers, body, closed } = await ask({ headers: {}, pathParameters: { id: "never=" } });
  expect({ status, code: body.code, closed }).toEqual({ status: 401, code: "TOKEN_MISSING", closed: [] });
  expect(headers).toMatchObject({ "www-authenticate": "Bearer" });
});

test.each([
  { event: { pathParameters: { user: "a b" } }, pointer: "/user" },
  { event: { pathParameters: { user: "*" } }, pointer: "/user" },
  { event: { pathParameters: { user: "" } }, pointer: "/user" },
  { event: { pathParameters: { user: "x".repeat(129) } }, pointer: "/user" },
  { event: { pathParameters: { id: "no id!" } }, pointer: "/id" },
  { event: { pathParameters: { id: "" } }, pointer: "/id" },
  { event: {}, pointer: "/id" },
  { event: { pathParameters: null }, pointer: "/id" },
  {
    event: { pathParameters: { id: "c=" }, queryStringParameters: { before: "yesterday" } },
    pointer: "/before",
  },
  {
    event: { pathParameters: { id: "c=" }, queryStringParameters: { before: "1767225600000" } },
    pointer: "/before",
  },
  { event: { pathParameters: { user: "ann" }, queryStringParameters: { before: "" } }, pointer: "/before" },
  // Read as no time at all, it would close what it was to spare.
  {
    event: { pathParameters: { user: "ann" }, queryStringParameters: { befor: "2026-01-31T12:00:00Z" } },
    pointer: "/befor",
  },
])("a request that cannot be read closes nothing: $event", async ({ event, pointer }) => {
  const { status, body, closed } = await ask(event);
  expect({ status, code: body.code, closed }).toEqual({ status: 400, code: "REQUEST_INVALID", closed: [] });
  expect(body.errors).toMatchObject([{ pointer }]);
});

test("another method closes nothing", async () => {
  const { status, body, closed } = await ask({
    requestContext: { http: { method: "GET" } },
    pathParameters: { id: "never=" },
  });
  expect({ status, code: body.code, closed }).toEqual({ status: 404, code: "ROUTE_NOT_FOUND", closed: [] });
});

test.each([
  429, 503, 403,
])("a gateway that answers %i is told, and the request may be made again", async (answered) => {
  const { status, headers, body } = await ask({ pathParameters: { id: "never=" } }, { status: answered });
  expect({ status, code: body.code }).toEqual({ status: 503, code: "GATEWAY_UNAVAILABLE" });
  expect(headers).toMatchObject({ "retry-after": "1" });
});
