import { afterAll, beforeAll, expect, test } from "vitest";
import type { Router } from "../../local/options.ts";
import { connect, type TestSocket, tokenFor } from "../support/client.ts";
import { sampleEvents } from "../support/events.ts";
import { startUnkind } from "../support/unkind.ts";

const SOCKETS = 200;
const MESSAGES = 1_000;
const LANES = { high: 4, normal: 3, low: 2, "fanout-normal": 2 };
const POSTS = 10;

interface Client {
  readonly socket: TestSocket;
  readonly id: string;
  readonly user: string;
  readonly tags: readonly string[];
}

let router: Router;
const clients: Client[] = [];

beforeAll(async () => {
  router = await startUnkind({
    settings: {
      lanes: {
        high: { concurrency: LANES.high },
        normal: { concurrency: LANES.normal },
        low: { concurrency: LANES.low },
        "fanout-normal": { concurrency: LANES["fanout-normal"] },
      },
      advanced: { sendsInFlight: POSTS },
    },
    limits: { sendDelay: 2 },
  });
  for (let i = 0; i < SOCKETS; i++) clients.push(await aClient(i));
}, 300_000);
afterAll(() => router.stop(0));

/** Client i: one of 40 users, 4 regions and 3 plans by its token, and one of 10 topics by asking. */
async function aClient(i: number): Promise<Client> {
  const [user, topic] = [`user-${i % 40}`, `topic-${i % 10}`];
  const fixed = [`region:r${i % 4}`, `plan:p${i % 3}`];
  const socket = await connect(router, user, fixed);
  const id = router.spy.connections().at(-1) ?? "";
  socket.send({ type: "subscribe", topics: [topic] });
  expect(await socket.next()).toEqual({ type: "subscribed", topics: [topic] });
  return { socket, id, user, tags: [...fixed, `topic:${topic}`, `user:${user}`] };
}

interface Case {
  readonly target: (n: number) => unknown;
  /** Whom it is for, told from the clients and not from the index. */
  readonly isFor: (client: Client, n: number) => boolean;
}

const CASES: readonly Case[] = [
  { target: (n) => ({ user: `user-${n % 41}` }), isFor: ({ user }, n) => user === `user-${n % 41}` },
  {
    target: (n) => ({ topic: `topic-${n % 11}` }),
    isFor: ({ tags }, n) => tags.includes(`topic:topic-${n % 11}`),
  },
  {
    target: (n) => ({
      tags: { all: [`region:r${n % 4}`], any: ["plan:p0", "plan:p1"], none: [`topic:topic-${n % 10}`] },
    }),
    isFor: ({ tags }, n) =>
      tags.includes(`region:r${n % 4}`) &&
      !tags.includes("plan:p2") &&
      !tags.includes(`topic:topic-${n % 10}`),
  },
  {
    target: (n) => ({ connection: clients[n % SOCKETS]?.id }),
    isFor: (client, n) => client === clients[n % SOCKETS],
  },
];
const EVERYONE: Case = { target: () => ({ everyone: true }), isFor: () => true };

/** Every hundredth message is for everyone. */
const caseOf = (n: number): Case => (n % 100 === 0 ? EVERYONE : (CASES[n % CASES.length] ?? EVERYONE));

test("a thousand real events each reach exactly those they are for, once, within the bounds", async () => {
  const samples = sampleEvents();
  const headers = {
    "content-type": "application/json",
    authorization: `Bearer ${await tokenFor("producer")}`,
  };
  const posts = Array.from({ length: MESSAGES }, (_, n) => ({
    id: `m-${n}`,
    target: caseOf(n).target(n),
    ...samples[n % samples.length],
    priority: (["high", "normal", "low"] as const)[n % 3],
  }));
  for (let n = 0; n < MESSAGES; n += 20) {
    const single = posts.slice(n, n + 10).map((post) => JSON.stringify(post));
    const batch = JSON.stringify(posts.slice(n + 10, n + 20));
    const replies = await Promise.all(
      [...single, batch].map((body) => fetch(`${router.url}/v1/messages`, { method: "POST", headers, body })),
    );
    expect(replies.map(({ status }) => status)).toEqual(replies.map(() => 202));
  }
  await router.spy.idle({ timeout: 240_000 });

  for (const client of clients) {
    const expected = posts.filter((_, n) => caseOf(n).isFor(client, n)).map(({ id }) => id);
    const got = client.socket.buffered().map((frame) => (frame as { id: string }).id);
    expect(got.toSorted()).toEqual(expected.toSorted());
  }
  for (const [n, { id, event, data }] of posts.entries()) {
    const sent = clients.filter((client) => caseOf(n).isFor(client, n));
    const response = await fetch(`${router.url}/v1/messages/${id}`, { headers });
    expect(await response.json()).toMatchObject({
      state: sent.length > 0 ? "delivered" : "no-recipients",
      counts: { sent: sent.length, gone: 0, failed: 0, pending: 0 },
    });
    const frame = sent[0]?.socket.buffered().find((one) => (one as { id: string }).id === id);
    if (sent.length > 0) expect(frame).toMatchObject({ type: "message", event, data });
  }
  const { lanes, runs, sends: inFlight, sendsPerRun } = router.spy.peaks();
  for (const lane of ["high", "normal", "low"] as const) {
    expect(lanes[lane]).toBeGreaterThan(0);
    expect(lanes[lane]).toBeLessThanOrEqual(LANES[lane]);
  }
  expect(runs).toBeLessThanOrEqual(LANES.high + LANES.normal + LANES.low + LANES["fanout-normal"]);
  expect(sendsPerRun).toBeGreaterThan(1);
  expect(sendsPerRun).toBeLessThanOrEqual(POSTS);
  expect(inFlight).toBeLessThanOrEqual(runs * POSTS);
}, 300_000);
