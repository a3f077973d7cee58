import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect as connectTo } from "node:net";

import { DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { expect, onTestFinished, test } from "vitest";
import type { Runtime } from "../../functions/aws/runtime.ts";
import { start } from "../../local/start.ts";
import { CREDENTIALS, REGION } from "../../local/twin/emulators/aws.ts";
import { REAL_HANDLERS } from "../../local/twin/lambda/handlers.ts";
import { connect, tokenFor } from "../support/client.ts";
import { dial, exchange, HANDSHAKE, rawRequest } from "../support/raw.ts";
import { latch, open, startTiny } from "./support.ts";

const GOOD = { host: "localhost", ...HANDSHAKE };

const BROKEN = [
  { why: "has no key", line: "GET /", headers: { "sec-websocket-key": undefined } },
  { why: "has a key of the wrong length", line: "GET /", headers: { "sec-websocket-key": "AAAA" } },
  { why: "has no version", line: "GET /", headers: { "sec-websocket-version": undefined } },
  { why: "has an unknown version", line: "GET /", headers: { "sec-websocket-version": "12" } },
  { why: "is a POST", line: "POST /", headers: {} },
  { why: "offers a sub-protocol twice", line: "GET /", headers: { "sec-websocket-protocol": "a, a" } },
];

test.each(BROKEN)("a handshake is refused with 400 and runs no function when it $why", async (broken) => {
  const { url, seen } = await startTiny();
  const answer = await exchange(url, rawRequest(broken.line, { ...GOOD, ...broken.headers }));
  expect(answer).toMatchObject({ status: 400, text: expect.stringContaining('{"message":"Bad Request"}') });
  expect(seen.sockets).toEqual([]);
});

test("a refused client that leaves its half open holds no connection, and so no stop", async () => {
  const { url, stop } = await startTiny();
  const socket = connectTo({ port: Number(new URL(url).port), host: "127.0.0.1", allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  socket.write(rawRequest("GET /elsewhere", GOOD));
  const [answer] = await once(socket, "data");
  expect(String(answer)).toMatch(/^HTTP\/1\.1 404 /);
  expect(await stop(0)).toEqual({ left: 0 });
});

test.each(["http", "https"])("a client that says nothing holds no stop over %s", async (scheme) => {
  const read = (name: string) =>
    readFileSync(new URL(`../support/certificates/${name}.pem`, import.meta.url), "utf8");
  const tls = scheme === "https" ? { tls: { cert: read("first"), key: read("first-key") } } : {};
  const { url, stop } = await start(tls);
  const port = Number(new URL(url).port);
  const silent = connectTo({ port, host: "127.0.0.1", allowHalfOpen: true });
  onTestFinished(() => void silent.destroy());
  silent.on("error", () => {});
  await once(silent, "connect");
  // Connections are taken in order, so the silent one is known by then.
  const next = connectTo({ port, host: "127.0.0.1" });
  next.end("no handshake and no request\r\n\r\n");
  next.on("error", () => {}).resume();
  await once(next, "close");
  expect(await stop(0)).toEqual({ left: 0 });
}, 30_000);

test("names of JavaScript's own objects are parameters like others", async () => {
  const { url, seen } = await startTiny();
  const names = ["constructor", "__proto__", "toString"];
  const client = await open(`${url.replace("http", "ws")}/?${names.map((name) => `${name}=1`).join("&")}`);
  client.socket.terminate();
  const [event] = seen.sockets as unknown as { readonly multiValueQueryStringParameters: object }[];
  expect(Object.entries(event?.multiValueQueryStringParameters ?? {})).toEqual(
    names.map((name) => [name, ["1"]]),
  );
});

test("a good handshake is answered with the key's hash", async () => {
  const { url } = await startTiny();
  const socket = await dial(url);
  onTestFinished(() => void socket.destroy());
  socket.write(rawRequest("GET /", GOOD));
  const [answer] = await new Promise<[Buffer]>((resolve) => socket.once("data", (data) => resolve([data])));
  expect(String(answer)).toMatch(/^HTTP\/1\.1 101 /);
  expect(String(answer)).toContain("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
});

test.each([
  "end",
  "destroy",
] as const)("a client that is gone (%s) before $connect is over has its $disconnect", async (how) => {
  const [connecting, connected] = [latch(), latch()];
  const router = await startTiny({
    socket: () => async (event) => {
      router.seen.sockets.push(event);
      if (event.requestContext.eventType === "CONNECT") {
        connecting.release();
        await connected.released;
      }
      return { statusCode: 200 };
    },
  });
  const socket = await dial(router.url);
  onTestFinished(() => void socket.destroy());
  socket.write(rawRequest("GET /", GOOD));
  await connecting.released;
  socket[how]();
  const ended = router.spy.waitFor({ kind: "disconnected", code: 1006 });
  // What comes later on another connection is read later.
  expect(
    (await exchange(router.url, rawRequest("GET /health", { ...GOOD, connection: "close" }))).status,
  ).toBe(200);
  connected.release();
  await ended;
  expect(router.seen.sockets.map(({ requestContext }) => requestContext.eventType)).toEqual([
    "CONNECT",
    "DISCONNECT",
  ]);
});

test("300 broken handshakes with a good token leave no row", async () => {
  let runtime: Runtime | undefined;
  const router = await startTiny({
    socket: (given) => {
      runtime = given;
      return REAL_HANDLERS.socket(given);
    },
  });
  const client = new DynamoDBClient({
    endpoint: runtime?.env["AWS_ENDPOINT_URL_DYNAMODB"] ?? "",
    region: REGION,
    credentials: CREDENTIALS,
  });
  onTestFinished(() => client.destroy());
  const rows = async (table: string | undefined) =>
    (await client.send(new ScanCommand({ TableName: table, ConsistentRead: true }))).Count;
  const request = rawRequest(`GET /?token=${await tokenFor("ann")}`, { ...GOOD, "sec-websocket-key": "" });
  for (let i = 0; i < 300; i += 50) {
    const answers = await Promise.all(Array.from({ length: 50 }, () => exchange(router.url, request)));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 400));
  }
  expect(await rows(runtime?.env["CONNECTIONS_TABLE"])).toBe(0);
  expect(await rows(runtime?.env["SUBSCRIPTIONS_TABLE"])).toBe(0);
  // The count would see a row.
  await connect(router, "ann");
  expect(await rows(runtime?.env["CONNECTIONS_TABLE"])).toBe(1);
}, 60_000);

/** What Java's HTTP client sends first, on a connection that is not encrypted. */
const H2C = {
  host: "localhost",
  connection: "Upgrade, HTTP2-Settings",
  upgrade: "h2c",
  "http2-settings": "AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA",
  "content-type": "application/json",
  "content-length": "13",
};

test.each([
  { how: "at once", chunks: [`${rawRequest("POST /v1/messages", H2C)}{"data":"ok"}`] },
  { how: "after its head", chunks: [rawRequest("POST /v1/messages", H2C), '{"data":', '"ok"}'] },
])("a request that asks for h2c is answered over HTTP/1.1, its body sent $how", async ({ chunks }) => {
  const { url, seen } = await startTiny();
  const socket = await dial(url);
  // Twice on one connection, since it is kept alive.
  for (const count of [1, 2]) {
    for (const chunk of chunks) await new Promise((sent) => socket.write(chunk, sent));
    const [answer] = await new Promise<[Buffer]>((resolve) => socket.once("data", (data) => resolve([data])));
    expect(String(answer)).toMatch(/^HTTP\/1\.1 202 /);
    expect(seen.http).toHaveLength(count);
  }
  expect(seen.http[0]).toMatchObject({
    body: '{"data":"ok"}',
    headers: { "content-type": "application/json" },
  });
  expect(seen.http[0]?.headers).not.toHaveProperty("upgrade");
  socket.destroy();
});
