import fc from "fast-check";
import { expect, test } from "vitest";
import type { SocketEvent } from "../../functions/runtime/socket-event.ts";
import { tokenFor } from "../support/client.ts";
import { socketFunction, tagsOf } from "../support/socket-function.ts";

test("an event is what its eventType says, whatever its route is named", async () => {
  const { invoke, connect, contextOf, ...rest } = await socketFunction();
  await connect("c=");
  const before = await tagsOf(rest, "c=");
  for (const routeKey of ["$connect", "$disconnect", "$default"]) {
    const { requestContext } = contextOf("c=", "MESSAGE");
    const event = {
      requestContext: { ...requestContext, routeKey },
      body: JSON.stringify({ type: routeKey, ref: 7 }),
    };
    const { statusCode, body = "" } = await invoke(event);
    expect(statusCode).toBe(200);
    expect(JSON.parse(body)).toMatchObject({ type: "error", code: "FRAME_INVALID", ref: 7 });
  }
  expect(before.lists).toEqual(["everyone", "user:ann"]);
  expect(await tagsOf(rest, "c=")).toEqual(before);
});

test("$disconnect by another route name deletes the rows", async () => {
  const { invoke, connect, contextOf, scan } = await socketFunction();
  await connect("c=");
  const { requestContext } = contextOf("c=", "DISCONNECT");
  expect(await invoke({ requestContext: { ...requestContext, routeKey: "$default" } })).toEqual({
    statusCode: 200,
  });
  expect([...(await scan("connections")), ...(await scan("subscriptions"))]).toEqual([]);
});

test("a frame in base64 is read, and null, missing and empty bodies are bad frames", async () => {
  const { invoke, connect, contextOf } = await socketFunction();
  await connect("c=");
  const message = contextOf("c=", "MESSAGE");
  const body = Buffer.from('{"type":"ping","ref":"é"}').toString("base64");
  const pong = await invoke({ ...message, body, isBase64Encoded: true });
  expect(JSON.parse(pong.body ?? "")).toEqual({ type: "pong", connection: "c=", ref: "é" });
  for (const some of [{}, { body: null }, { body: "" }, { body: null, isBase64Encoded: true }]) {
    const reply = await invoke({ ...message, ...some });
    expect(JSON.parse(reply.body ?? "")).toMatchObject({ type: "error", code: "FRAME_INVALID" });
  }
});

const NOBODY: readonly SocketEvent[] = [
  {},
  { headers: null, queryStringParameters: null, body: null },
  { requestContext: {} },
  { requestContext: { eventType: "CONNECT" }, headers: null, queryStringParameters: null },
  { requestContext: { eventType: "CONNECT", connectionId: "c=" } },
  { requestContext: { eventType: "MESSAGE" }, body: '{"type":"ping"}' },
  { requestContext: { eventType: "MESSAGE", connectionId: "not an id" } },
];

test.each(NOBODY)("an event that names no connection is refused and writes nothing: %j", async (event) => {
  const { invoke, calls } = await socketFunction();
  expect(await invoke(event)).toMatchObject({
    statusCode: 404,
    body: expect.stringContaining("CONNECTION_UNKNOWN"),
  });
  expect(calls).toEqual([]);
});

test("a $disconnect that names no connection is nothing", async () => {
  const { invoke, calls } = await socketFunction();
  expect(await invoke({ requestContext: { eventType: "DISCONNECT" } })).toEqual({ statusCode: 200 });
  expect(calls).toEqual([]);
});

test("a $connect without headers, query or token is refused; the token may come in either", async () => {
  const { invoke, contextOf } = await socketFunction();
  const connect = contextOf("c=", "CONNECT");
  for (const some of [
    {},
    { headers: null, queryStringParameters: null },
    { headers: {}, queryStringParameters: {} },
  ]) {
    expect(await invoke({ ...connect, ...some })).toMatchObject({ statusCode: 401 });
  }
  const protocols = `tagwire.v1, token.${await tokenFor("ann")}`;
  const headers = { "SEC-websocket-PROTOCOL": protocols };
  expect(await invoke({ ...connect, headers, queryStringParameters: null })).toEqual({
    statusCode: 200,
    headers: { "Sec-WebSocket-Protocol": "tagwire.v1" },
  });
});

test.each([
  "token.abc",
  "graphql-ws",
  "tagwire.v2, token.abc",
])("a $connect that offers only sub-protocols nobody knows (%s) is refused, and writes nothing", async (offer) => {
  const { invoke, contextOf, calls } = await socketFunction();
  const token = await tokenFor("ann");
  const headers = { "sec-websocket-protocol": offer };
  const event = { ...contextOf("c=", "CONNECT"), headers, queryStringParameters: { token } };
  expect(await invoke(event)).toMatchObject({
    statusCode: 400,
    body: expect.stringContaining("SUBPROTOCOL_UNSUPPORTED"),
  });
  expect(calls).toEqual([]);
});

test("whatever stands in the fields of an event, the function answers", async () => {
  const { invoke, lines } = await socketFunction();
  const any = fc.jsonValue();
  const events = fc.record(
    {
      requestContext: fc.record(
        {
          eventType: fc.oneof(fc.constantFrom("CONNECT", "MESSAGE", "DISCONNECT"), any),
          connectionId: fc.oneof(fc.constant("c="), any),
          connectedAt: fc.oneof(fc.nat(), any),
          routeKey: any,
        },
        { requiredKeys: [] },
      ),
      headers: fc.oneof(fc.dictionary(fc.constantFrom("Sec-WebSocket-Protocol", "x"), any), any),
      queryStringParameters: fc.oneof(fc.record({ token: any }), any),
      body: any,
      isBase64Encoded: any,
    },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(events, async (event) => {
      const { statusCode } = await invoke(event as SocketEvent);
      expect([200, 400, 401, 404]).toContain(statusCode);
    }),
    { numRuns: 300 },
  );
  expect(lines.filter((line) => line.includes("Faults"))).toEqual([]);
});
