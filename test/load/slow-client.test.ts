import {
  ApiGatewayManagementApiClient,
  PostToConnectionCommand,
} from "@aws-sdk/client-apigatewaymanagementapi";
import { expect, onTestFinished, test } from "vitest";
import { CREDENTIALS, REGION } from "../../local/aws.ts";
import { start } from "../../local/start.ts";
import { FRAME_BYTES } from "../../shared/domain/limits.ts";
import { connect, tokenFor } from "../support/client.ts";
import { post } from "../support/http.ts";
import { openSocket } from "../support/socket.ts";

const HEALTHY = 100;
const PER_SECOND = 10;

/** How long after the last post the last frame may come, in milliseconds. Without a slow client it is far below one second. */
const REST = 10_000;

/** Starts a router with a client that stopped reading when its buffer was full: every further post to it returns 429. */
async function startWithSlowClient() {
  let endpoint = "";
  const router = await start({
    postsTo: async (own) => {
      endpoint = own;
      return own;
    },
  });
  onTestFinished(async () => {
    await router.stop(0);
  });
  const client = new ApiGatewayManagementApiClient({
    endpoint,
    region: REGION,
    credentials: CREDENTIALS,
    maxAttempts: 1,
  });
  const token = await tokenFor("slow");
  const { socket } = await openSocket(router.socketUrl, ["tagwire.v1", `token.${token}`], (text) => text);
  const [slow = ""] = router.spy.connections();
  socket.pause();
  const Data = Buffer.alloc(FRAME_BYTES, "x");
  const fill = async () => {
    for (;;) await client.send(new PostToConnectionCommand({ ConnectionId: slow, Data }));
  };
  await expect(fill()).rejects.toMatchObject({ name: "LimitExceededException" });
  client.destroy();
  return { router, slow };
}

test.each([
  { seconds: 6 },
  { seconds: 60 },
])("beside a client that never reads 100 others get all of 10 messages a second for $seconds s", async ({
  seconds,
}) => {
  const { router, slow } = await startWithSlowClient();
  const sockets = await Promise.all(
    Array.from({ length: HEALTHY }, (_, i) => connect(router, `healthy-${i}`)),
  );
  const token = await tokenFor("producer", {}, undefined, "1h");
  const messages = seconds * PER_SECOND;
  const ids: string[] = [];
  const posting: Promise<void>[] = [];
  const began = performance.now();
  await new Promise<void>((done) => {
    const timer = setInterval(() => {
      const id = `m-${ids.length}`;
      ids.push(id);
      posting.push(
        post(router, { id, target: { everyone: true }, data: { n: ids.length } }, token).then(({ status }) =>
          expect(status).toBe(202),
        ),
      );
      if (ids.length < messages) return;
      clearInterval(timer);
      done();
    }, 1000 / PER_SECOND);
  });
  await Promise.all(posting);

  const frames = () => sockets.reduce((sum, socket) => sum + socket.buffered().length, 0);
  const until = performance.now() + REST;
  while (frames() < messages * HEALTHY && performance.now() < until) {
    await router.spy.waitFor({ kind: "run-ended" }, { count: router.spy.runs().length + 1 }).catch(() => {});
  }
  const took = Math.round(performance.now() - began);
  expect({ frames: frames(), took }).toEqual({ frames: messages * HEALTHY, took: expect.any(Number) });
  for (const socket of sockets) {
    const got = socket.buffered().map((frame) => (frame as { id: string }).id);
    expect(got.toSorted()).toEqual(ids.toSorted());
  }
  expect(router.spy.connections()).toContain(slow);
  expect(router.spy.traffic(slow).posts[429]).toBeGreaterThan(0);
}, 180_000);
