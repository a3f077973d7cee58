import { GetConnectionCommand } from "@aws-sdk/client-apigatewaymanagementapi";
import { expect, test } from "vitest";
import { clientOf, open, post, startTiny } from "./support.ts";

test.each([
  403, 404, 429, 500, 503,
])("an outage with %i meets every call for its time, and then none", async (status) => {
  let now = 0;
  const clock = { now: Date.now, monotonic: () => now, pause: async () => {} };
  const router = await startTiny({}, { clock });
  const client = clientOf(router);
  const socket = await open(router.socketUrl);
  const { connectionId } = await router.spy.waitFor({ kind: "connected" });
  const failed = { $metadata: { httpStatusCode: status } };
  router.spy.startOutage(status, { lasts: 20_000 });
  for (const at of [0, 19_999]) {
    now = at;
    await expect(client.send(post(connectionId, "lost"))).rejects.toMatchObject(failed);
    await expect(client.send(post("nobody==", "lost"))).rejects.toMatchObject(failed);
    await expect(client.send(new GetConnectionCommand({ ConnectionId: connectionId }))).rejects.toMatchObject(
      failed,
    );
  }
  now = 20_000;
  await client.send(post(connectionId, "delivered"));
  expect(await socket.next()).toBe("delivered");
});

test("an outage concerns the calls that it names, until it is ended", async () => {
  const router = await startTiny();
  const client = clientOf(router);
  await open(router.socketUrl);
  await open(router.socketUrl);
  const [first = "", second = ""] = router.spy.connections();
  const end = router.spy.startOutage(503, {
    concerns: ({ method, connectionId }) => method === "POST" && connectionId === first,
  });
  await expect(client.send(post(first, "lost"))).rejects.toMatchObject({
    $metadata: { httpStatusCode: 503 },
  });
  await client.send(new GetConnectionCommand({ ConnectionId: first }));
  await client.send(post(second, "delivered"));
  end();
  await client.send(post(first, "delivered"));
});

test("a gateway that hangs takes a call and never returns", async () => {
  const router = await startTiny();
  const client = clientOf(router);
  await open(router.socketUrl);
  const { connectionId } = await router.spy.waitFor({ kind: "connected" });
  const end = router.spy.startOutage("hang");
  const abortSignal = AbortSignal.timeout(300);
  const name = expect.stringMatching(/Abort|Timeout/);
  await expect(client.send(post(connectionId, "lost"), { abortSignal })).rejects.toMatchObject({ name });
  // The caller hung up: the post has no status.
  await router.spy.waitFor({ kind: "sent", connectionId, status: 0 });
  end();
  await client.send(post(connectionId, "delivered"));
});
