import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { expect, test } from "vitest";
import { receiptsFunction } from "../../functions/aws/receipts.ts";
import type { HttpEvent } from "../../functions/runtime/event.ts";
import { CREDENTIALS, REGION } from "../../local/twin/emulators/aws.ts";
import { dynamoStreams } from "../../shared/adapters/dynamodb/streams.ts";
import { append } from "../../shared/pipeline/streams/append.ts";
import type { MessageId } from "../../shared/protocol/message.ts";
import { messageFrame } from "../../shared/protocol/message-frame.ts";
import type { Target } from "../../shared/protocol/target.ts";
import { streamOf } from "../../shared/streams/kept.ts";
import { memoryClock } from "../../testing/memory/clock.ts";
import { tokenFor } from "../support/client.ts";
import { aMessage } from "../support/message.ts";
import { emulators } from "./support.ts";

const SETTINGS = {
  streams: [{ topics: "orders/*", seconds: 3_600, count: 3 }],
  userStreams: { seconds: 3_600, count: 100 },
};
const functions = emulators(SETTINGS);
const CLIENT = { publish: [], subscribe: ["orders/*", "news"] };

/** Appends messages as a run of the consumer does. Returns their numbers. */
async function kept(target: object, ...data: unknown[]): Promise<readonly number[]> {
  const { endpoint, names } = functions.tables();
  const client = new DynamoDBClient({ endpoint, region: REGION, credentials: CREDENTIALS });
  const clock = memoryClock(Date.now());
  const deps = { streams: dynamoStreams(client, names.streams), clock, random: Math.random };
  const { stream, retention } = streamOf(SETTINGS, target as Target) ?? expect.fail("no stream");
  const frames = data.map((one, n) =>
    JSON.stringify(
      messageFrame(aMessage({ id: `m-${n}` as MessageId, target: target as Target, data: one })),
    ),
  );
  const numbers = await append(deps, stream, retention, { id: "run", end: clock.now() + 60_000 }, frames);
  client.destroy();
  return numbers;
}

async function ask(
  query: object,
  { claims = CLIENT as object, event = {} as HttpEvent, settings = true } = {},
) {
  const { runtime } = functions.runtime("receipts");
  const { STREAMS_TABLE: _, ...without } = runtime.env;
  const answer = await receiptsFunction({ ...runtime, env: settings ? runtime.env : without })({
    routeKey: "GET /v1/history",
    headers: { authorization: `Bearer ${await tokenFor("ann", { ...claims })}` },
    requestContext: { http: { method: "GET", path: "/v1/history" } },
    queryStringParameters: query,
    ...event,
  });
  return { status: answer.statusCode, body: JSON.parse(String(answer.body)) };
}

test("a client's token reads the messages after a position, and what it lost", async () => {
  const topic = "orders/1";
  const [first = 0] = await kept({ topic }, 1, 2, 3, 4);
  const message = (data: number) => ({
    ...{ type: "message", id: `m-${data - 1}`, topic, data, seq: first + data - 1 },
    time: expect.any(String),
  });
  expect(await ask({ topic, since: `${first + 1}` })).toEqual({
    status: 200,
    body: { topic, messages: [message(3), message(4)], position: first + 3, more: false, gap: false },
  });
  expect(await ask({ topic, since: "0" })).toMatchObject({
    body: { messages: [message(2), message(3), message(4)], gap: true },
  });
  expect(await ask({ topic, since: `${first + 9}` })).toEqual({
    status: 200,
    body: { topic, messages: [], position: first + 3, more: false, gap: true },
  });
});

test("a client's token reads the last messages of a topic, and of its own user", async () => {
  const [first] = await kept({ topic: "orders/2" }, "a", "b");
  expect(await ask({ topic: "orders/2", last: "1" })).toMatchObject({
    body: { messages: [{ data: "b" }], position: (first ?? 0) + 1 },
  });
  await kept({ user: "ann" }, "mine");
  await kept({ user: "bob" }, "his");
  expect(await ask({ user: "me", last: "10" }, { claims: { publish: [], subscribe: [] } })).toMatchObject({
    status: 200,
    body: { topic: "@user", messages: [{ to: "user", data: "mine" }] },
  });
});

test("a stream that has not begun is started, so that its position is real", async () => {
  const { body } = await ask({ topic: "orders/new", last: "5" });
  expect(body).toMatchObject({ messages: [], more: false, gap: false });
  expect(await kept({ topic: "orders/new" }, 1)).toEqual([body.position + 1]);
});

test.each([
  { why: "the topic keeps no stream", query: { topic: "news", since: "17" }, settings: true },
  { why: "streams are switched off", query: { topic: "orders/1", since: "17" }, settings: false },
])("there are no messages and no position if $why", async ({ query, settings }) => {
  expect(await ask(query, { settings })).toEqual({
    status: 200,
    body: { topic: query.topic, messages: [], more: false, gap: true },
  });
});

test.each([
  { query: { topic: "secret", since: "1" }, status: 403, code: "TOPIC_FORBIDDEN", at: undefined },
  { query: { topic: "orders/1" }, status: 400, code: "REQUEST_INVALID", at: ["/since"] },
  { query: { since: "1" }, status: 400, code: "REQUEST_INVALID", at: ["/topic"] },
  { query: {}, status: 400, code: "REQUEST_INVALID", at: ["/topic", "/since"] },
  {
    query: { topic: "orders/1", user: "me", last: "1" },
    status: 400,
    code: "REQUEST_INVALID",
    at: ["/topic"],
  },
  {
    query: { topic: "orders/1", since: "1", last: "1" },
    status: 400,
    code: "REQUEST_INVALID",
    at: ["/since"],
  },
  { query: { topic: "no good", since: "1" }, status: 400, code: "REQUEST_INVALID", at: ["/topic"] },
  { query: { topic: "@user", since: "1" }, status: 400, code: "REQUEST_INVALID", at: ["/topic"] },
  { query: { user: "bob", since: "1" }, status: 400, code: "REQUEST_INVALID", at: ["/user"] },
  { query: { topic: "orders/1", since: "-1" }, status: 400, code: "REQUEST_INVALID", at: ["/since"] },
  { query: { topic: "orders/1", since: "1.5" }, status: 400, code: "REQUEST_INVALID", at: ["/since"] },
  { query: { topic: "orders/1", since: "" }, status: 400, code: "REQUEST_INVALID", at: ["/since"] },
  {
    query: { topic: "orders/1", since: "9007199254740992" },
    status: 400,
    code: "REQUEST_INVALID",
    at: ["/since"],
  },
  { query: { topic: "orders/1", last: "0" }, status: 400, code: "REQUEST_INVALID", at: ["/last"] },
  { query: { topic: "orders/1", last: "1001" }, status: 400, code: "REQUEST_INVALID", at: ["/last"] },
  {
    query: { topic: "orders/1", last: "1", limit: "5" },
    status: 400,
    code: "REQUEST_INVALID",
    at: ["/limit"],
  },
])("$query is refused with $code at $at", async ({ query, status, code, at }) => {
  const { status: got, body } = await ask(query);
  expect({ status: got, code: body.code }).toEqual({ status, code });
  expect(body.errors?.map(({ pointer }: { pointer: string }) => pointer)).toEqual(at);
});

test.each([
  {
    what: "the route of its context",
    event: { routeKey: undefined, requestContext: { routeKey: "GET /v1/history" } },
  },
  { what: "its path", event: { routeKey: undefined, rawPath: "/v1/history" } },
  { what: "the path of its context", event: { routeKey: undefined } },
])("an event without a route is told by $what", async ({ event }) => {
  expect((await ask({ topic: "news", last: "1" }, { event: event as HttpEvent })).status).toBe(200);
});

test("a client's token reads by GET alone, and reaches no receipts by way of history", async () => {
  const posted = { requestContext: { http: { method: "POST", path: "/v1/history" } } };
  expect((await ask({ topic: "news", last: "1" }, { event: posted as HttpEvent })).status).toBe(403);
  const receipt = { routeKey: "GET /v1/messages/{id}", pathParameters: { id: "/v1/history" } };
  expect((await ask({}, { event: receipt as HttpEvent })).body.code).toBe("RECEIPT_FORBIDDEN");
});

test("no token, no history", async () => {
  expect((await ask({ topic: "news", last: "1" }, { event: { headers: {} } })).body.code).toBe(
    "TOKEN_MISSING",
  );
});
