import { expect, test } from "vitest";
import { clientOf, open, post, startTiny } from "./support.ts";

const REPLY = 50_000;
const LIMITS = { bufferBytes: 100_000, framesInFlight: 8 };

test("a socket that sends and never reads is read no further, and closed with 1008 after a time", async () => {
  let [answered, most] = [0, 0];
  const socket =
    () =>
    async ({ body, requestContext }: { body?: string; requestContext: { connectionId: string } }) => {
      if (body === undefined) return { statusCode: 200 };
      answered += 1;
      most = Math.max(most, router.spy.bufferedBytes(requestContext.connectionId));
      return { statusCode: 200, body: "x".repeat(REPLY) };
    };
  const router = await startTiny({ socket }, { limits: { ...LIMITS, stalledTimeout: 300 } });
  const client = await open(router.socketUrl);
  client.socket.pause();
  // Their replies would be 100 MB. What the kernel takes on the way (a few MB) is none of the router's memory.
  for (let i = 0; i < 2_000; i++) client.socket.send(`${i}`.padEnd(1_000));
  await router.spy.waitFor({ kind: "disconnected", code: 1008 });
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThanOrEqual(LIMITS.bufferBytes + LIMITS.framesInFlight * (REPLY + 10));
  expect(answered).toBeLessThan(1_000);
  expect(router.spy.connections()).toEqual([]);
});

test("a socket that sends large frames faster than they run holds little of them in memory", async () => {
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  let [bytes, most] = [0, 0];
  const socket =
    () =>
    async ({ body }: { body?: string }) => {
      if (body === undefined) return { statusCode: 200 };
      bytes += body.length;
      most = Math.max(most, bytes);
      if (bytes > LIMITS.bufferBytes) release();
      await released;
      await fetch(`${router.url}/health`);
      bytes -= body.length;
      return { statusCode: 200, body: "done" };
    };
  const router = await startTiny({ socket }, { limits: { ...LIMITS, framesInFlight: 1_000 } });
  const client = await open(router.socketUrl);
  for (let i = 0; i < 60; i++) client.socket.send("x".repeat(30_000));
  for (let i = 0; i < 60; i++) expect(await client.next()).toBe("done");
  // One chunk of TCP may hold two frames more than the limit allows.
  expect(most).toBeLessThanOrEqual(LIMITS.bufferBytes + 3 * 30_000);
});

test("a socket that pings and never reads is cut", async () => {
  const router = await startTiny({}, { limits: LIMITS });
  const client = await open(router.socketUrl);
  const { connectionId } = await router.spy.waitFor({ kind: "connected" });
  client.socket.pause();
  let most = 0;
  const payload = Buffer.alloc(125);
  while (router.spy.connections().length > 0) {
    for (let i = 0; i < 500; i++) client.socket.ping(payload);
    await new Promise((sent) => client.socket.ping(payload, true, sent));
    most = Math.max(most, router.spy.bufferedBytes(connectionId));
  }
  await router.spy.waitFor({ kind: "disconnected", connectionId });
  expect(most).toBeLessThan(LIMITS.bufferBytes);
});

test("posts to a client that does not read return 429 once its buffer is full, and others get theirs", async () => {
  const router = await startTiny({}, { limits: { ...LIMITS, stalledTimeout: 1 } });
  const client = clientOf(router);
  const slow = await open(router.socketUrl);
  const healthy = await open(router.socketUrl);
  const [slowId = "", healthyId = ""] = router.spy.connections();
  slow.socket.pause();
  const frame = "x".repeat(131_072);
  const posting = async () => {
    for (;;) await client.send(post(slowId, frame));
  };
  await expect(posting()).rejects.toMatchObject({ name: "LimitExceededException" });
  expect(router.spy.bufferedBytes(slowId)).toBeGreaterThanOrEqual(LIMITS.bufferBytes);
  expect(router.spy.bufferedBytes(slowId)).toBeLessThanOrEqual(LIMITS.bufferBytes + frame.length + 10);
  await client.send(post(healthyId, "hello"));
  expect(await healthy.next()).toBe("hello");
  // Posts alone never close a socket, and one that reads again gets all that was taken for it.
  expect(router.spy.connections()).toContain(slowId);
  const taken = router.spy.traffic(slowId).sends[200] ?? 0;
  slow.socket.resume();
  for (let i = 0; i < taken; i++) expect(await slow.next()).toHaveLength(frame.length);
  await client.send(post(slowId, "again"));
  expect(await slow.next()).toBe("again");
});
