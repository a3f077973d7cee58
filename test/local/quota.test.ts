import fc from "fast-check";
import { expect, test } from "vitest";
import { quota } from "../../local/gateway/quota.ts";
import { refused } from "../support/socket.ts";
import { clientOf, open, post, startTiny } from "./support.ts";

test("in any span no more requests pass than the burst and what the rate adds", () => {
  const gaps = fc.array(fc.nat(500), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(
      gaps,
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 20 }),
      (waits, rate, burst) => {
        let now = 0;
        const bucket = quota({ monotonic: () => now }, { requestRate: rate, requestBurst: burst });
        const taken: number[] = [];
        for (const wait of waits) {
          now += wait;
          if (bucket.take()) taken.push(now);
        }
        taken.forEach((from, i) => {
          taken.slice(i).forEach((to, n) => {
            expect(n + 1).toBeLessThanOrEqual(burst + ((to - from) / 1000) * rate + 1e-6);
          });
        });
      },
    ),
  );
});

test("a quota that is not used up turns nothing away", () => {
  let now = 0;
  const bucket = quota({ monotonic: () => now }, { requestRate: 10, requestBurst: 1 });
  for (let i = 0; i < 1_000; i++) {
    expect(bucket.take()).toBe(true);
    now += 100;
  }
});

test("HTTP requests, connects, frames and callback calls spend one quota, each with its own refusal", async () => {
  let now = 0;
  const clock = { now: Date.now, monotonic: () => now, pause: async () => {} };
  const echo = async ({ body }: { body?: string }) => ({ statusCode: 200, ...(body ? { body } : {}) });
  const router = await startTiny(
    { socket: () => echo },
    { clock, limits: { requestRate: 1, requestBurst: 4 } },
  );
  const client = clientOf(router);
  const publish = () => fetch(`${router.url}/v1/messages`, { method: "POST" });

  const socket = await open(router.socketUrl);
  const { connectionId } = await router.spy.waitFor({ kind: "connected" });
  expect((await publish()).status).toBe(202);
  socket.socket.send("hello");
  expect(await socket.next()).toBe("hello");
  await client.send(post(connectionId, "a message"));
  expect(await socket.next()).toBe("a message");

  const late = await publish();
  expect([late.status, await late.text()]).toEqual([429, '{"message":"Too Many Requests"}']);
  expect(await refused(router.socketUrl)).toEqual({ status: 429, body: '{"message":"Too Many Requests"}' });
  await expect(client.send(post(connectionId, "late"))).rejects.toMatchObject({
    name: "LimitExceededException",
    $metadata: { httpStatusCode: 429 },
  });
  socket.socket.send("late");
  expect(JSON.parse(await socket.next())).toEqual({
    message: "Too Many Requests",
    connectionId,
    requestId: expect.stringMatching(/./),
  });
  expect(router.seen.http).toHaveLength(1);

  now += 1_000;
  expect((await publish()).status).toBe(202);
  expect((await publish()).status).toBe(429);
  expect((await fetch(`${router.url}/health`)).status).toBe(200);
});
