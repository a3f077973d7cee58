import { afterAll, beforeAll, expect, test } from "vitest";
import { repeats } from "../../testing/queues/repeats.ts";
import { seeded } from "../../testing/random.ts";
import { throttle } from "../../testing/tables/throttle.ts";
import { timeToLive } from "../../testing/tables/time-to-live.ts";
import { unprocessed } from "../../testing/tables/unprocessed.ts";
import { connect, type TestSocket } from "../support/client.ts";
import { post, receipt } from "../support/http.ts";
import { startUnkind, type UnkindRouter } from "../support/unkind.ts";

/*
 * In an emulated account only: queues that repeat, reorder and delete late, and tables that throttle and leave writes
 * unprocessed, are AWS's. What one machine may meet instead, a process that is killed, a full disk and damaged files, is
 * in test/local and test/engine.
 */

const SOCKETS = 6;
const MESSAGES = 40;
const TTLS = { "tagwire-connections": "ttl", "tagwire-subscriptions": "ttl", "tagwire-receipts": "ttl" };

const random = seeded(9);
/** By calls and not by time, so that a slow machine meets it too. */
let tableCalls = 0;
const brake = throttle(() => tableCalls);
let router: UnkindRouter;
let leftOver = 0;
const sockets: TestSocket[] = [];

beforeAll(async () => {
  router = await startUnkind({
    settings: { advanced: { backoff: { baseSeconds: 1, capSeconds: 1 } } },
    layers: {
      dynamodb: [
        (request, next) => {
          tableCalls++;
          return next(request);
        },
        brake.layer,
        timeToLive({ attributes: TTLS, now: Date.now }),
        unprocessed({
          ...{ milliseconds: 20, share: 0.3, now: () => performance.now(), random },
          onUnprocessed: (items) => {
            leftOver += items;
          },
        }),
      ],
      sqs: [repeats({ random, twice: 0.3, lateDelete: 0.3, usedUp: 0.1, disorder: true })],
    },
  });
  for (let i = 0; i < SOCKETS; i++)
    sockets.push(
      await connect(
        router,
        `user-${i}`,
        ["a", "b"].map((it) => `team:${it}`),
      ),
    );
}, 60_000);
afterAll(() => router.stop(0));

test("each message reaches each connection, however unkind the queues and tables are", async () => {
  const ids: string[] = [];
  const postHalf = async () => {
    for (let n = 0; n < MESSAGES / 2; n++) {
      const { id, status } = await post(router, { target: { tags: { all: ["team:a", "team:b"] } }, data: n });
      expect(status).toBe(202);
      ids.push(id);
    }
    // A message whose outcome could not be written comes back after its lease, which is 70 s.
    await router.spy.idle({ timeout: 140_000 });
    // Frames may be on their way when the last run has ended.
    await expect.poll(() => sockets.every((socket) => socket.buffered().length >= ids.length)).toBe(true);
  };
  const frames = (socket: TestSocket) => socket.buffered().map((frame) => (frame as { id: string }).id);
  await postHalf();
  for (const socket of sockets) expect(frames(socket).toSorted()).toEqual(ids.toSorted());
  brake.start(20);
  await postHalf();
  // A table that is throttled when a run writes its outcome is the one excuse for a frame that comes again.
  for (const socket of sockets) {
    expect([...new Set(frames(socket))].toSorted()).toEqual(ids.toSorted());
  }
  for (const id of ids) {
    expect(await receipt(router, id)).toMatchObject({ state: "delivered", counts: { sent: SOCKETS } });
  }
  expect(await router.spy.deadLetters()).toEqual([]);
  expect(leftOver).toBeGreaterThan(0);
  expect(brake.refused()).toBeGreaterThan(0);
}, 300_000);
