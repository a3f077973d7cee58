import { type AddressInfo, createServer } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import { signedSockets } from "../../shared/adapters/apigateway/signed-sockets.ts";
import type { ConnectionId } from "../../shared/protocol/tag.ts";
import { refuse } from "./gateway.ts";
import { FRAME, HOUR, ID, identity, NOON, open } from "./signed.ts";

test("a refusal of another kind renews no credentials", async () => {
  const asked: ({ forceRefresh?: boolean } | undefined)[] = [];
  const { sockets } = await open({
    credentials: async (options) => {
      asked.push(options);
      return identity("ann");
    },
    answer: (response) => refuse(response, 403, { headers: { date: new Date(NOON).toUTCString() } }),
  });
  await sockets.send(ID, FRAME);
  expect(asked).toEqual([undefined]);
});

test.each([
  400, 429, 500,
])("an answer %i whose clock is another is not tried again: it is no refusal of the signature", async (status) => {
  const { sockets, seen } = await open({
    answer: (response) =>
      refuse(response, status, { headers: { date: new Date(NOON + HOUR).toUTCString() } }),
  });
  await sockets.send(ID, FRAME);
  expect(seen.length).toBe(1);
});

test.each([
  { of: "its message", body: '{ "Message" : "Rate exceeded" }', says: "Rate exceeded" },
  { of: "its type, if it has no message", body: "<html>", says: "SomeException" },
])("a failed send gives the reason of the gateway by $of", async ({ body, says }) => {
  const { sockets } = await open({
    answer: (response) => response.writeHead(429, { "x-amzn-errortype": "SomeException" }).end(body),
  });
  expect(await sockets.send(ID, FRAME)).toEqual({ kind: "throttled", reason: `429: ${says}` });
});

test("connections to the gateway are kept open for the next send, until the sockets are destroyed", async () => {
  const { sockets, seen, connections } = await open();
  for (let i = 0; i < 3; i++) await sockets.send(ID, FRAME);
  expect(new Set(seen.map(({ headers }) => headers.connection))).toEqual(new Set(["keep-alive"]));
  expect(connections).toEqual({ now: 1, most: 1 });
  sockets.destroy();
  await expect.poll(() => connections.now).toBe(0);
});

test("a connection id is percent-encoded as RFC 3986 says", async () => {
  const { sockets, seen } = await open();
  await sockets.send("a+/=!'()*" as ConnectionId, FRAME);
  expect(seen[0]?.path).toBe("/prod/@connections/a%2B%2F%3D%21%27%28%29%2A");
});

test("an https endpoint is spoken to in TLS", async () => {
  const first: (number | undefined)[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", (bytes) => {
      first.push(bytes[0]);
      socket.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  onTestFinished(() => void server.close());
  const sockets = signedSockets({
    ...{ endpoint: `https://127.0.0.1:${port}/prod`, region: async () => "us-east-1" },
    ...{ credentials: async () => identity("ann"), timeout: 5_000, connections: 1, now: () => NOON },
  });
  expect(await sockets.send(ID, FRAME)).toMatchObject({ kind: "unavailable" });
  // The content type of a TLS record that holds a handshake (RFC 8446 §5.1).
  expect(first).toEqual([22]);
});

test("a frame that was taken is sent as soon as its status is known", async () => {
  const { sockets } = await open({
    timeout: 60_000,
    answer: (response) => response.writeHead(200, { "content-length": "2" }).flushHeaders(),
  });
  expect(await sockets.send(ID, FRAME)).toEqual({ kind: "sent" });
});

test("no timer is left of a send that has its answer", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const { sockets } = await open({ timeout: 60_000 });
  expect(await sockets.send(ID, FRAME)).toEqual({ kind: "sent" });
  await expect.poll(() => vi.getTimerCount()).toBe(0);
});
