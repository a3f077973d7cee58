import { GetConnectionCommand } from "@aws-sdk/client-apigatewaymanagementapi";
import { expect, test } from "vitest";
import type { Handlers } from "../../local/twin/lambda/handlers.ts";
import { clientOf, open, post, startTiny } from "./support.ts";

/** Its pauses last until the test lets them pass. */
function stoppedClock() {
  let pass = () => {};
  const passed = new Promise<void>((resolve) => {
    pass = resolve;
  });
  return { clock: { now: Date.now, monotonic: () => performance.now(), pause: () => passed }, pass };
}

const GONE = { name: "GoneException", $metadata: { httpStatusCode: 410 } };

test("a half-open socket takes posts for a while and delivers none, then it is gone", async () => {
  const router = await startTiny();
  const client = clientOf(router);
  const socket = await open(router.socketUrl);
  const { connectionId } = await router.spy.waitFor({ kind: "connected" });
  const end = router.spy.halfOpen(connectionId);
  await client.send(post(connectionId, "lost"));
  await client.send(new GetConnectionCommand({ ConnectionId: connectionId }));
  end();
  await router.spy.waitFor({ kind: "disconnected", connectionId, code: 1006 });
  await expect(client.send(post(connectionId, "late"))).rejects.toMatchObject(GONE);
  expect(await socket.closed).toBe(1006);
  expect(socket.buffered()).toEqual([]);
  expect(router.spy.traffic(connectionId).sends).toEqual({ 200: 1, 410: 1 });
});

test("a half-open socket is gone by itself after its time", async () => {
  const router = await startTiny();
  await open(router.socketUrl);
  const { connectionId } = await router.spy.waitFor({ kind: "connected" });
  router.spy.halfOpen(connectionId, 50);
  await router.spy.waitFor({ kind: "disconnected", connectionId, code: 1006 });
});

test("while a slow $connect is not over a post returns 410, though the function has returned", async () => {
  let onConnect = (_: string) => {};
  const connecting = new Promise<string>((resolve) => {
    onConnect = resolve;
  });
  const socket: Handlers["socket"] =
    () =>
    async ({ requestContext }) => {
      onConnect(requestContext.connectionId);
      return { statusCode: 200 };
    };
  const { clock, pass } = stoppedClock();
  const router = await startTiny({ socket }, { clock, unkind: { connectDelay: 5_000 } });
  const client = clientOf(router);
  const opening = open(router.socketUrl);
  const id = await connecting;
  await expect(client.send(post(id, "early"))).rejects.toMatchObject(GONE);
  pass();
  const { next } = await opening;
  await client.send(post(id, "in time"));
  expect(await next()).toBe("in time");
});

const endings = ({ seen }: Awaited<ReturnType<typeof startTiny>>) =>
  seen.sockets.filter(({ requestContext }) => requestContext.eventType === "DISCONNECT").length;

test("$disconnect can come late: a connection is gone before its function knows", async () => {
  const { clock, pass } = stoppedClock();
  const router = await startTiny({}, { clock, unkind: { disconnectDelay: 5_000 } });
  const socket = await open(router.socketUrl);
  const { connectionId } = await router.spy.waitFor({ kind: "connected" });
  socket.socket.close();
  await socket.closed;
  await expect(clientOf(router).send(post(connectionId, "late"))).rejects.toMatchObject(GONE);
  expect(endings(router)).toBe(0);
  pass();
  await router.spy.waitFor({ kind: "disconnected", connectionId });
  expect(endings(router)).toBe(1);
});

test("$disconnect can come twice", async () => {
  const router = await startTiny({}, { unkind: { disconnects: 2 } });
  const socket = await open(router.socketUrl);
  socket.socket.close();
  await router.spy.waitFor({ kind: "disconnected" }, { count: 2 });
  expect(endings(router)).toBe(2);
});

test("$disconnect can fail to come", async () => {
  const router = await startTiny({}, { unkind: { disconnects: 0 } });
  const socket = await open(router.socketUrl);
  const { connectionId } = await router.spy.waitFor({ kind: "connected" });
  socket.socket.close();
  await socket.closed;
  await expect(clientOf(router).send(post(connectionId, "late"))).rejects.toMatchObject(GONE);
  await router.stop(0);
  expect(endings(router)).toBe(0);
});
