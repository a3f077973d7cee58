import { setTimeout as pause } from "node:timers/promises";
import pLimit from "p-limit";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Router } from "../../local/options.ts";
import { startTwin } from "../../local/twin/start.ts";
import { CONNECTING } from "../../shared/protocol/limits.ts";
import type { Receipt } from "../../shared/protocol/receipt.ts";
import { dice } from "../../simulation/world/dice.ts";
import { type Front, type Layer, startFront } from "../../testing/front.ts";
import { type Upstream, upstream } from "../../testing/upstream.ts";
import { connect, type TestSocket } from "../support/client.ts";
import { post, receipt } from "../support/http.ts";

const SOCKETS = 2_000;
const MESSAGES = 3;
/** When the lanes are empty, the last frames and closes may still be on their way to the clients. */
const ARRIVING = { timeout: 30_000 };

let router: Router;
let front: Front;
let behind: Upstream;
/** How often each fault was made. */
const made = { 429: 0, 500: 0, hang: 0 };
/** How far the router's clock is ahead, in milliseconds. */
let ahead = 0;
const sockets = new Map<string, TestSocket>();
const random = dice("faults").next;
const lost = new Set<string>();

/** Posts per second that the account takes: far fewer than the router begins with. */
const PER_SECOND = 200;
let available = PER_SECOND;
let filledAt = performance.now();

/** Whether the account has a post left. */
function isWithinQuota(): boolean {
  const now = performance.now();
  available = Math.min(PER_SECOND, available + ((now - filledAt) * PER_SECOND) / 1_000);
  filledAt = now;
  if (available < 1) return false;
  available--;
  return true;
}

/** 429 above the quota; of the others 5 % 500, 2 % hang, and 3 % find a socket that has just been lost. */
function plan(connectionId: string): keyof typeof made | undefined {
  if (!isWithinQuota()) return 429;
  const draw = random();
  if (draw < 0.05) return 500;
  if (draw < 0.07) return "hang";
  if (draw < 0.1) {
    lost.add(connectionId);
    router.spy.kill(connectionId);
  }
  return undefined;
}

/** Makes the planned fault of a send, or hands it on. The probe of a gateway that seems to be down is no send. */
const fault: Layer = async (request, next) => {
  if (request.method !== "POST") return next(request);
  const planned = plan(decodeURIComponent(request.path.split("/").at(-1) ?? ""));
  if (planned === undefined) return next(request);
  made[planned]++;
  return planned === "hang" ? new Promise<never>(() => {}) : { status: planned, headers: {}, body: "" };
};

beforeAll(async () => {
  router = await startTwin({
    clock: {
      now: () => Date.now() + ahead,
      monotonic: () => performance.now() + ahead,
      pause: (milliseconds) => pause(milliseconds),
    },
    settings: { advanced: { sendTimeoutMilliseconds: 2_000, backoff: { baseSeconds: 1, capSeconds: 1 } } },
    between: async (service, endpoint) => {
      if (service !== "execute-api") return endpoint;
      behind = upstream(endpoint);
      front = await startFront([fault], behind.call);
      return front.url;
    },
  });
  const slot = pLimit(25);
  await Promise.all(
    Array.from({ length: SOCKETS }, (_, i) =>
      slot(async () => {
        const socket = await connect(router, `user-${i}`);
        socket.send({ type: "subscribe", topics: ["orders"] });
        expect(await socket.next()).toMatchObject({ type: "subscribed" });
        sockets.set(`user-${i}`, socket);
      }),
    ),
  );
}, 120_000);
afterAll(async () => {
  await router.stop(0);
  await front.stop();
  behind.stop();
});

test("with faults in front of the post endpoint every live socket gets every message once, and the receipts agree", async () => {
  // A 410 in the first moments of a connection is no proof that it is gone.
  ahead = CONNECTING;
  const ids: string[] = [];
  for (let n = 0; n < MESSAGES; n++) {
    const { id, status } = await post(router, { target: { topic: "orders" }, data: n });
    expect(status).toBe(202);
    ids.push(id);
    await router.spy.idle({ timeout: 60_000 });
  }
  const all = [...sockets.values()];
  const live = () => all.filter((socket) => socket.isOpen());
  const got = (socket: TestSocket) => socket.buffered().map((frame) => (frame as { id: string }).id);
  await expect.poll(() => live().length, ARRIVING).toBe(SOCKETS - lost.size);
  await expect
    .poll(
      () =>
        live()
          .map(got)
          .filter((heard) => heard.join() !== ids.join()),
      ARRIVING,
    )
    .toEqual([]);
  const receiptOf = async (id: string) => (await receipt(router, id)) as unknown as Receipt;
  for (const id of ids) {
    const outcome = async () => {
      const { state, counts } = await receiptOf(id);
      const heard = all.filter((socket) => got(socket).includes(id)).length;
      return { state, failed: counts.failed, pending: counts.pending, unheard: counts.sent - heard };
    };
    await expect.poll(outcome, ARRIVING).toEqual({ state: "delivered", failed: 0, pending: 0, unheard: 0 });
  }
  const gone = async () =>
    (await Promise.all(ids.map(receiptOf))).reduce((sum, { counts }) => sum + counts.gone, 0);
  await expect.poll(gone, ARRIVING).toBe(lost.size);
  expect(all.map(got).filter((heard) => new Set(heard).size < heard.length)).toEqual([]);
  expect(Math.min(...Object.values(made))).toBeGreaterThan(0);
}, 240_000);
