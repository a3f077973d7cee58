import { setTimeout as pause } from "node:timers/promises";
import {
  ApiGatewayManagementApiClient,
  PostToConnectionCommand,
} from "@aws-sdk/client-apigatewaymanagementapi";
import { expect, onTestFinished, test } from "vitest";
import type { Router } from "../../local/options.ts";
import { CREDENTIALS, REGION } from "../../local/twin/emulators/aws.ts";
import { startTwin } from "../../local/twin/start.ts";
import { FRAME_BYTES } from "../../shared/protocol/limits.ts";
import { connect, type TestSocket, tokenFor } from "../support/client.ts";
import { post } from "../support/http.ts";
import { openSocket } from "../support/socket.ts";

const PER_SECOND = 10;

async function startRouter() {
  let endpoint = "";
  const router = await startTwin({
    between: async (service, own) => {
      if (service === "execute-api") endpoint = own;
      return own;
    },
  });
  onTestFinished(async () => {
    await router.stop(0);
  });
  return { router, endpoint };
}

/** A client that has stopped reading, and whose buffer is full: every further post to it returns 429. */
async function slowClient({ router, endpoint }: { router: Router; endpoint: string }): Promise<string> {
  const client = new ApiGatewayManagementApiClient({
    endpoint,
    region: REGION,
    credentials: CREDENTIALS,
    maxAttempts: 1,
  });
  const token = await tokenFor("slow");
  const { socket } = await openSocket(router.socketUrl, ["tagwire.v1", `token.${token}`], (text) => text);
  const [id = ""] = router.spy.connections();
  socket.pause();
  const Data = Buffer.alloc(FRAME_BYTES, "x");
  const fill = async () => {
    for (;;) await client.send(new PostToConnectionCommand({ ConnectionId: id, Data }));
  };
  await expect(fill()).rejects.toMatchObject({ name: "LimitExceededException" });
  client.destroy();
  return id;
}

/** Messages that a client got. One that came twice counts once: on a busy machine a send may time out. */
const received = (socket: TestSocket) =>
  new Set(socket.buffered().map((frame) => (frame as { id: string }).id)).size;

/** How long the clients wait for their frames, in seconds. */
const PATIENCE = 300;

/** Posts to everyone for so many seconds. Returns how many frames the clients got, and after how many seconds. */
async function broadcast(router: Router, healthy: number, seconds: number) {
  const sockets = await Promise.all(
    Array.from({ length: healthy }, (_, i) => connect(router, `healthy-${i}`)),
  );
  const token = await tokenFor("producer");
  const ids = Array.from({ length: seconds * PER_SECOND }, (_, n) => `m-${n}`);
  const began = performance.now();
  const elapsed = () => (performance.now() - began) / 1000;
  const posted = ids.map(async (id, n) => {
    await pause((n * 1000) / PER_SECOND);
    return (await post(router, { id, target: { everyone: true }, data: { n } }, token)).status;
  });
  expect(new Set(await Promise.all(posted))).toEqual(new Set([202]));
  const frames = () => sockets.reduce((sum, socket) => sum + received(socket), 0);
  while (frames() < ids.length * healthy && elapsed() < PATIENCE) await pause(50);
  return { frames: frames(), took: elapsed() };
}

/** The slow client was there all the time, and slow. */
function expectSlow({ spy }: Router, id: string): void {
  expect(spy.connections()).toContain(id);
  expect(spy.traffic(id).sends[429]).toBeGreaterThan(0);
}

test("beside a client that never reads 10 others get 10 messages a second as soon as without it", async () => {
  // Side by side, since a machine that is busy is so for both.
  const [without, started] = [await startRouter(), await startRouter()];
  const slow = await slowClient(started);
  const [alone, beside] = await Promise.all([
    broadcast(without.router, 10, 30),
    broadcast(started.router, 10, 30),
  ]);
  expect([alone.frames, beside.frames]).toEqual([3_000, 3_000]);
  expect(beside.took).toBeLessThan(alone.took * 1.2);
  expectSlow(started.router, slow);
}, 400_000);

test("beside a client that never reads 100 others get all of 10 messages a second for a minute", async () => {
  const started = await startRouter();
  const slow = await slowClient(started);
  expect(await broadcast(started.router, 100, 60)).toMatchObject({ frames: 60_000 });
  expectSlow(started.router, slow);
}, 400_000);
