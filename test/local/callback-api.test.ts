import { DeleteConnectionCommand, GetConnectionCommand } from "@aws-sdk/client-apigatewaymanagementapi";
import { expect, test } from "vitest";
import type { StartOptions } from "../../local/options.ts";
import type { Handlers } from "../../local/twin/lambda/handlers.ts";
import { clientOf, open, post, startTiny } from "./support.ts";

async function startWithClient(handlers: Partial<Handlers> = {}, options: StartOptions = {}) {
  const router = await startTiny(handlers, options);
  return { ...router, client: clientOf(router) };
}

test("a post arrives as a text frame", async () => {
  const { client, socketUrl, spy } = await startWithClient();
  const socket = await open(socketUrl);
  const { connectionId } = await spy.waitFor({ kind: "connected" });
  await client.send(post(connectionId, "hello, ä"));
  expect(await socket.next()).toBe("hello, ä");
  await spy.waitFor({ kind: "sent", connectionId, status: 200 });
  expect(spy.traffic(connectionId)).toEqual({ sends: { 200: 1 }, units: 1 });
  expect(spy.now().sends).toBe(0);
});

test("a post to an unknown connection says that it is gone", async () => {
  const { client } = await startWithClient();
  await expect(client.send(post("nobody=", "hello"))).rejects.toMatchObject({
    name: "GoneException",
    $metadata: { httpStatusCode: 410 },
  });
});

test.each([
  { id: "nobody==", status: 410, name: "GoneException" },
  { id: "tagwire-probe", status: 410, name: "GoneException" },
  { id: "no id at all", status: 400, name: "BadRequestException" },
  { id: "%", status: 400, name: "BadRequestException" },
])("a question, a post and a close for the connection $id return $status", async ({ id, status, name }) => {
  const { client } = await startWithClient();
  const fault = { name, $metadata: { httpStatusCode: status } };
  await expect(client.send(new GetConnectionCommand({ ConnectionId: id }))).rejects.toMatchObject(fault);
  await expect(client.send(new DeleteConnectionCommand({ ConnectionId: id }))).rejects.toMatchObject(fault);
  await expect(client.send(post(id, "hello"))).rejects.toMatchObject(fault);
});

test("nothing can be posted before $connect has returned", async () => {
  let early: unknown;
  const socket: Handlers["socket"] =
    () =>
    async ({ requestContext }) => {
      early ??= await client
        .send(post(requestContext.connectionId, "too early"))
        .catch((fault: unknown) => fault);
      return { statusCode: 200 };
    };
  const { client, socketUrl } = await startWithClient({ socket });
  await open(socketUrl);
  expect(early).toMatchObject({ name: "GoneException" });
});

test("a post of 128 KB passes and a larger one is refused", async () => {
  const { client, socketUrl, spy } = await startWithClient();
  const socket = await open(socketUrl);
  const { connectionId } = await spy.waitFor({ kind: "connected" });
  await client.send(post(connectionId, "x".repeat(131_072)));
  expect(await socket.next()).toHaveLength(131_072);
  await expect(client.send(post(connectionId, "x".repeat(131_073)))).rejects.toMatchObject({
    name: "PayloadTooLargeException",
    $metadata: { httpStatusCode: 413 },
  });
});

test("a connection can be described, and closed from behind", async () => {
  const { client, socketUrl, spy } = await startWithClient();
  const socket = await open(socketUrl);
  const { connectionId: ConnectionId } = await spy.waitFor({ kind: "connected" });
  const described = await client.send(new GetConnectionCommand({ ConnectionId }));
  expect(described.ConnectedAt).toBeInstanceOf(Date);
  expect(described.Identity?.SourceIp).toBe("127.0.0.1");
  const deleted = await client.send(new DeleteConnectionCommand({ ConnectionId }));
  expect(deleted.$metadata.httpStatusCode).toBe(204);
  expect(await socket.closed).toBe(1000);
  await spy.waitFor({ kind: "disconnected", connectionId: ConnectionId });
  await expect(client.send(new GetConnectionCommand({ ConnectionId }))).rejects.toMatchObject({
    name: "GoneException",
  });
});

test("planned faults hit the next posts to their connection, and only those", async () => {
  const { client, socketUrl, spy } = await startWithClient();
  const socket = await open(socketUrl);
  const { connectionId } = await spy.waitFor({ kind: "connected" });
  spy.failSends(connectionId, [429, 500]);
  await expect(client.send(post(connectionId, "1"))).rejects.toMatchObject({
    name: "LimitExceededException",
  });
  await expect(client.send(post(connectionId, "2"))).rejects.toMatchObject({
    $metadata: { httpStatusCode: 500 },
  });
  await client.send(post(connectionId, "3"));
  expect(await socket.next()).toBe("3");
  expect(spy.traffic(connectionId).sends).toEqual({ 200: 1, 429: 1, 500: 1 });
});

test("a killed connection is gone, and its $disconnect never runs", async () => {
  const { client, socketUrl, spy, seen } = await startWithClient();
  const socket = await open(socketUrl);
  const { connectionId } = await spy.waitFor({ kind: "connected" });
  spy.kill(connectionId);
  expect(await socket.closed).toBe(1006);
  await expect(client.send(post(connectionId, "hello"))).rejects.toMatchObject({ name: "GoneException" });
  expect(seen.sockets.map(({ requestContext }) => requestContext.eventType)).toEqual(["CONNECT"]);
});

test("the spy counts the posts that overlap", async () => {
  const { client, spy } = await startWithClient({}, { limits: { sendDelay: 100 } });
  const posts = Array.from({ length: 5 }, (_, i) => client.send(post(`nobody${i}=`, "hello")));
  await Promise.allSettled(posts);
  expect(spy.peaks().sends).toBe(5);
  await spy.waitFor({ kind: "sent", status: 410 }, { count: 5 });
  expect(spy.now().sends).toBe(0);
});
