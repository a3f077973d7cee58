import { setTimeout as pause } from "node:timers/promises";
import {
  ApiGatewayManagementApiClient,
  PostToConnectionCommand,
} from "@aws-sdk/client-apigatewaymanagementapi";
import { expect, onTestFinished, test } from "vitest";
import { CREDENTIALS, REGION } from "../../local/aws.ts";
import { type Router, start } from "../../local/start.ts";
import { FRAME_BYTES } from "../../shared/domain/limits.ts";
import { connect, type TestSocket, tokenFor } from "../support/client.ts";
import { post } from "../support/http.ts";
import { openSocket } from "../support/socket.ts";

const PER_SECOND = 10;

async function startRouter() {
  let endpoint = "";
  const router = await start({
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

/** Posts to everyone for so many seconds, and waits at most `patience` seconds in all for what the clients get. */
async function broadcast(router: Router, healthy: number, seconds: number, patience: number) {
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
  while (frames() < ids.length * healthy && elapsed() < patience) await pause(50);
  return { frames: frames(), took: elapsed() };
}

test.each([
  { healthy: 10, seconds: 20 },
  { healthy: 100, seconds: 60 },
])("beside a client that never reads $healthy others get 10 messages a second for $seconds s, as soon as without it", async ({
  healthy,
  seconds,
}) => {
  const alone = await broadcast((await startRouter()).router, healthy, 6, 120);
  expect(alone).toMatchObject({ frames: 6 * PER_SECOND * healthy });

  const started = await startRouter();
  const slow = await slowClient(started);
  // A busy machine is slow with and without the slow client.
  const patience = (alone.took / 6) * seconds * 1.3 + 5;
  const beside = await broadcast(started.router, healthy, seconds, patience);
  expect({ ...beside, patience }).toMatchObject({ frames: seconds * PER_SECOND * healthy });
  // The slow one was there all the time, and slow.
  const { spy } = started.router;
  expect(spy.connections()).toContain(slow);
  expect(spy.traffic(slow).posts[429]).toBeGreaterThan(0);
}, 400_000);
