import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import type { APIGatewayProxyEventV2, Context } from "aws-lambda";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { clientOptions, pausesOf } from "../../functions/aws/clients.ts";
import { connectionsFunction } from "../../functions/aws/connections.ts";
import { ingestFunction } from "../../functions/aws/ingest.ts";
import { receiptsFunction } from "../../functions/aws/receipts.ts";
import type { Runtime } from "../../functions/aws/runtime.ts";
import { socketFunction } from "../../functions/aws/socket.ts";
import { reserveOf } from "../../functions/aws/wiring.ts";
import { clientConfig, requestHandler } from "../../shared/adapters/sdk/client.ts";
import { LANES } from "../../shared/protocol/lane.ts";
import { DEV_SECRET } from "../../shared/settings/dev-secret.ts";
import { QUEUE_URL } from "../../shared/settings/queues.ts";
import { DEFAULTS } from "../../shared/settings/settings.ts";
import { FUNCTIONS } from "../../shared/settings/variables.ts";
import { signToken } from "../../testing/sign-token.ts";
import { silentEndpoint } from "./silent.ts";

/** Milliseconds a call takes if every try of it does: until its answer begins, or until the silence within it. */
function worst(timeoutSeconds: number) {
  const { maxAttempts, requestHandler: http } = clientOptions({ timeoutSeconds, maxSockets: 1 });
  const tries = (each: number) => maxAttempts * each + pausesOf(maxAttempts);
  return { call: tries(http.requestTimeout), dripping: tries(http.requestTimeout + http.socketTimeout) };
}

describe("the tries of a call", () => {
  test.each(
    FUNCTIONS.map((name) => [name, DEFAULTS.advanced.functions[name].timeoutSeconds] as const),
  )("of %s are over within its time, and so is a second call", (_name, timeoutSeconds) => {
    const { call, dripping } = worst(timeoutSeconds);
    expect(2 * call).toBeLessThan(timeoutSeconds * 1_000);
    expect(dripping).toBeLessThan(timeoutSeconds * 1_000);
  });

  test("of the consumer end within its reserve, and leave a settle its time", () => {
    const { timeoutSeconds } = reserveOf(DEFAULTS);
    expect(2 * worst(timeoutSeconds).call).toBeLessThan(DEFAULTS.advanced.reserveMilliseconds);
  });

  test("are at most three, are some, and are over within the time of any function", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.1, max: 900, noNaN: true }), (timeoutSeconds) => {
        const { maxAttempts, requestHandler: http } = clientOptions({ timeoutSeconds, maxSockets: 1 });
        expect(maxAttempts).toBeGreaterThanOrEqual(1);
        expect(maxAttempts).toBeLessThanOrEqual(3);
        expect(http.requestTimeout).toBeGreaterThan(0);
        expect(http.requestTimeout).toBeLessThanOrEqual(5_000);
        expect(http.connectionTimeout).toBeLessThanOrEqual(http.requestTimeout);
        expect(2 * worst(timeoutSeconds).call).toBeLessThan(timeoutSeconds * 1_000);
        expect(worst(timeoutSeconds).dripping).toBeLessThan(timeoutSeconds * 1_000);
      }),
    );
  });

  test("are as many as the options say where nothing answers, and each ends by its timeout", async () => {
    const { endpoint, tries } = await silentEndpoint();
    const { maxAttempts } = clientOptions({ timeoutSeconds: 10, maxSockets: 1 });
    const client = new DynamoDBClient({
      ...clientConfig(ENV, "DYNAMODB"),
      endpoint,
      maxAttempts,
      requestHandler: requestHandler(500, 1),
    });
    onTestFinished(() => client.destroy());
    const read = client.send(new GetItemCommand({ TableName: "rows", Key: { id: { S: "1" } } }));
    await expect(read).rejects.toMatchObject({ name: "TimeoutError" });
    expect(tries()).toBe(2);
  });
});

const ENV = { AWS_REGION: "us-east-1", AWS_ACCESS_KEY_ID: "local", AWS_SECRET_ACCESS_KEY: "local" };

/** A function with half a second to live, whose queues and tables are at an endpoint. */
const worldAt = (endpoint: string): Runtime => {
  const functions = Object.fromEntries(FUNCTIONS.map((name) => [name, { timeoutSeconds: 0.5 }]));
  return {
    env: {
      ...ENV,
      AWS_ENDPOINT_URL: endpoint,
      ...Object.fromEntries(LANES.map((lane) => [QUEUE_URL[lane], `${endpoint}/1/tagwire-${lane}`])),
      CONNECTIONS_TABLE: "connections",
      SUBSCRIPTIONS_TABLE: "subscriptions",
      SOCKET_ENDPOINT: endpoint,
      QUOTAS_TABLE: "quotas",
      RECEIPTS_TABLE: "receipts",
      TOKENS: JSON.stringify({ secretId: "tokens" }),
      ROUTER: "router",
      SETTINGS: JSON.stringify({ ...DEFAULTS, advanced: { ...DEFAULTS.advanced, functions } }),
    },
    write: () => {},
    readSecret: async () => ({ text: DEV_SECRET }),
    clock: { now: Date.now, monotonic: () => performance.now(), pause: async () => {} },
    random: Math.random,
  };
};

const token = (): Promise<string> => signToken({ sub: "ann", publish: ["*"], subscribe: ["*"], admin: true });

const httpEvent = (method: string, bearer: string) =>
  ({
    headers: { "content-type": "application/json", authorization: `Bearer ${bearer}` },
    body: JSON.stringify({ target: { topic: "orders" }, data: 1 }),
    pathParameters: { id: "m1" },
    requestContext: { http: { method } },
  }) as unknown as APIGatewayProxyEventV2;

const socketEvent = (routeKey: string, eventType: string, bearer: string) =>
  ({
    requestContext: { routeKey, eventType, connectionId: "c1=", connectedAt: Date.now() },
    queryStringParameters: { token: bearer },
    body: JSON.stringify({ type: "subscribe", topics: ["orders"], ref: 1 }),
  }) as unknown as Parameters<ReturnType<typeof socketFunction>>[0];

/** As Lambda gives it at the start of a run. */
const CONTEXT = { getRemainingTimeInMillis: () => 10_000 } as Context;

/** What a function answers, and the code that a producer or a client reads. */
const CALLS = {
  "POST /v1/messages": {
    code: "QUEUE_UNAVAILABLE",
    call: (runtime: Runtime, bearer: string) => ingestFunction(runtime)(httpEvent("POST", bearer)),
  },
  "GET /v1/messages/{id}": {
    code: "TABLE_UNAVAILABLE",
    call: (runtime: Runtime, bearer: string) => receiptsFunction(runtime)(httpEvent("GET", bearer)),
  },
  "DELETE /v1/connections/{id}": {
    code: "TABLE_UNAVAILABLE",
    call: (runtime: Runtime, bearer: string) =>
      connectionsFunction(runtime)(httpEvent("DELETE", bearer), CONTEXT),
  },
  $connect: {
    code: "TABLE_UNAVAILABLE",
    call: (runtime: Runtime, bearer: string) =>
      socketFunction(runtime)(socketEvent("$connect", "CONNECT", bearer), CONTEXT),
  },
  subscribe: {
    code: "TABLE_UNAVAILABLE",
    call: (runtime: Runtime, bearer: string) =>
      socketFunction(runtime)(socketEvent("$default", "MESSAGE", bearer), CONTEXT),
  },
};

describe.each(Object.entries(CALLS))("%s", (name, { code, call }) => {
  test.each([
    ["never answers", ""],
    ["stops in the middle of its answer", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"],
  ])(
    "is refused in words where what it stands on takes the request and %s",
    async (_how, start) => {
      const { endpoint, tries } = await silentEndpoint(start);
      const { statusCode, body } = await call(worldAt(endpoint), await token());
      expect(statusCode).toBe(name === "subscribe" ? 200 : 503);
      expect(JSON.parse(body ?? "")).toMatchObject({ code });
      expect(tries()).toBeGreaterThan(0);
    },
    10_000,
  );
});
