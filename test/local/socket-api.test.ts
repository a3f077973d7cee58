import { expect, test } from "vitest";
import { refused } from "../support/socket.ts";
import { open, startTiny } from "./support.ts";

test("a socket is opened by $connect, served by $default and ended by $disconnect", async () => {
  const { socketUrl, seen, spy } = await startTiny({});
  const { socket } = await open(`${socketUrl}/?token=abc`);
  socket.send("hello");
  const { connectionId } = await spy.waitFor({ kind: "connected" });
  socket.close(4000, "bye");
  await spy.waitFor({ kind: "disconnected", connectionId, code: 4000 });
  expect(connectionId).toMatch(/^[A-Za-z0-9_-]{15}=$/);
  expect(seen.sockets.map(({ requestContext: { eventType, routeKey } }) => [eventType, routeKey])).toEqual([
    ["CONNECT", "$connect"],
    ["MESSAGE", "$default"],
    ["DISCONNECT", "$disconnect"],
  ]);
  expect(seen.sockets[0]).toMatchObject({
    queryStringParameters: { token: "abc" },
    headers: { "Sec-WebSocket-Version": "13" },
    requestContext: { connectionId, identity: { sourceIp: "127.0.0.1" } },
  });
  expect(seen.sockets[1]).toMatchObject({ body: "hello", isBase64Encoded: false });
  expect(seen.sockets[2]).toMatchObject({
    requestContext: { disconnectStatusCode: 4000, disconnectReason: "bye" },
  });
});

test.each([401, 403])("a $connect that answers %i refuses the socket with that", async (statusCode) => {
  const socket = () => async () => ({ statusCode, body: '{"code":"TOKEN_INVALID"}' });
  const { socketUrl, spy } = await startTiny({ socket });
  expect(await refused(socketUrl)).toEqual({ status: statusCode, body: '{"code":"TOKEN_INVALID"}' });
  expect(spy.connections()).toEqual([]);
});

test("a $connect that crashes is a bad gateway", async () => {
  const { socketUrl } = await startTiny({ socket: () => () => Promise.reject(new Error("boom")) });
  expect(await refused(socketUrl)).toMatchObject({ status: 502 });
});

test("a socket at another path is refused", async () => {
  const { socketUrl, seen } = await startTiny();
  expect(await refused(`${socketUrl}/v1/messages`)).toMatchObject({ status: 404 });
  expect(seen.sockets).toEqual([]);
});

test("the sub-protocol is the one that $connect names", async () => {
  const headers = { "Sec-WebSocket-Protocol": "tagwire.v1" };
  const { socketUrl } = await startTiny({ socket: () => async () => ({ statusCode: 200, headers }) });
  const { socket } = await open(socketUrl, ["tagwire.v1", "token.abc"]);
  expect(socket.protocol).toBe("tagwire.v1");
});

test("a client that asks for a sub-protocol which $connect does not name gives up", async () => {
  const { socketUrl } = await startTiny();
  await expect(open(socketUrl, ["tagwire.v1"])).rejects.toThrow("Server sent no subprotocol");
});

test("frames of one socket run side by side, and their replies come in the order in which they end", async () => {
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const socket =
    () =>
    async ({ body }: { body?: string }) => {
      if (body === undefined) return { statusCode: 200 };
      if (body === "first") await released;
      return { statusCode: 200, body: `re: ${body}` };
    };
  const { socketUrl } = await startTiny({ socket });
  const client = await open(socketUrl);
  client.socket.send("first");
  client.socket.send("second");
  expect(await client.next()).toBe("re: second");
  release();
  expect(await client.next()).toBe("re: first");
});

test("of one socket only so many frames run at a time, and all are answered", async () => {
  let [running, most] = [0, 0];
  const socket =
    () =>
    async ({ body }: { body?: string }) => {
      if (body === undefined) return { statusCode: 200 };
      running += 1;
      most = Math.max(most, running);
      await fetch(`${url}/health`);
      running -= 1;
      return { statusCode: 200, body };
    };
  const { socketUrl, url } = await startTiny({ socket }, { limits: { framesInFlight: 4 } });
  const client = await open(socketUrl);
  const sent = Array.from({ length: 200 }, (_, i) => String(i));
  for (const text of sent) client.socket.send(text);
  const replies: string[] = [];
  while (replies.length < sent.length) replies.push(await client.next());
  expect(replies.toSorted()).toEqual(sent.toSorted());
  expect(most).toBe(4);
});

test("a function that crashes on a frame leaves the socket open", async () => {
  const socket =
    () =>
    async ({ body }: { body?: string }) => {
      if (body === "boom") throw new Error("boom");
      return body === undefined ? { statusCode: 200 } : { statusCode: 200, body };
    };
  const { socketUrl } = await startTiny({ socket });
  const client = await open(socketUrl);
  client.socket.send("boom");
  expect(JSON.parse(await client.next())).toMatchObject({ message: "Internal server error" });
  client.socket.send("again");
  expect(await client.next()).toBe("again");
});

test("a message of 128 KB passes, and is metered in units of 32 KB; a larger one closes the socket with 1009", async () => {
  const { socketUrl, seen, spy } = await startTiny();
  const client = await open(socketUrl);
  const { connectionId } = await spy.waitFor({ kind: "connected" });
  client.socket.send("x".repeat(131_072));
  client.socket.send("y".repeat(131_073));
  expect(await client.closed).toBe(1009);
  await spy.waitFor({ kind: "disconnected", connectionId });
  expect(seen.sockets[1]?.body).toHaveLength(131_072);
  expect(spy.traffic(connectionId).units).toBe(4);
});

test("a binary message closes the socket with 1003", async () => {
  const { socketUrl } = await startTiny();
  const client = await open(socketUrl);
  client.socket.send(Buffer.from("hello"), { binary: true });
  expect(await client.closed).toBe(1003);
});

test("a socket is cut with 1001 at its age", async () => {
  const { socketUrl, spy } = await startTiny({}, { limits: { connectionAge: 50 } });
  const client = await open(socketUrl);
  expect(await client.closed).toBe(1001);
  await spy.waitFor({ kind: "disconnected" });
});

test("a socket is cut with 1001 when nothing has moved for the idle time", async () => {
  const echo =
    () =>
    async ({ body }: { body?: string }) => ({ statusCode: 200, ...(body ? { body } : {}) });
  const { socketUrl } = await startTiny({ socket: echo }, { limits: { idleTimeout: 300 } });
  const client = await open(socketUrl);
  const opened = performance.now();
  while (performance.now() - opened < 600) {
    client.socket.send("still here");
    await client.next();
  }
  expect(client.socket.readyState).toBe(client.socket.OPEN);
  expect(await client.closed).toBe(1001);
});
