import { describe, expect, test } from "vitest";
import type { Outcome, SendResult } from "../../shared/ports.ts";
import type { Withdrawal } from "../../shared/receipts/claimability.ts";
import { after, sortKey, WHOLE } from "../../shared/receipts/hash-range.ts";
import { NO_PROGRESS, type Progress } from "../../shared/receipts/receipt.ts";
import { memoryReceipts } from "../../testing/memory/receipts.ts";
import { aMessageOf, consumer, received } from "../support/consumer.ts";
import { NOW } from "../support/message.ts";

const BUSY: SendResult = { kind: "throttled", reason: "429" };
const NEW: Progress = { ...NO_PROGRESS, from: WHOLE.from };
const counts = (fields: Partial<Progress["counts"]>) => ({ ...NO_PROGRESS.counts, ...fields });

/** A consumer whose next run finds this progress, with `count` connections in the order of the index. */
async function resumed(found: Progress, count: number, advanced = {}) {
  const real = memoryReceipts();
  const outcomes: Outcome[] = [];
  let withdrawn: Withdrawal | undefined;
  const receipts: typeof real = {
    ...real,
    claim: async () => ({ kind: "claimed", progress: found, deaths: 0 }),
    withdrawal: async () => withdrawn,
    async settle(_job, _run, outcome) {
      outcomes.push(outcome);
      return "written" as const;
    },
  };
  const under = consumer({ receipts, overrides: { recipientsPerRun: 4, deliveryRounds: 3, advanced } });
  const ids = [];
  for (let i = 0; i < count; i++) ids.push(await under.connect(`c${i}`, "orders"));
  ids.sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
  return {
    ...under,
    ids,
    withdraw: (why: Withdrawal) => {
      withdrawn = why;
    },
    async outcome(left?: number, fields = {}) {
      await under.run([received(aMessageOf("one", fields))], left);
      return outcomes.at(-1) as Extract<Outcome, { kind: "ended" | "retry" }>;
    },
  };
}

describe("a large audience", () => {
  const pending = [{ connectionId: "p=" as never, connectedAt: NOW }];

  test("is split if nothing has been sent", async () => {
    const { run, queue } = await resumed(NEW, 12);
    await run([received(aMessageOf("one"))]);
    expect(queue.lanes["fanout-normal"].length).toBeGreaterThan(1);
  });

  test.each<Partial<Progress>>([
    { counts: counts({ sent: 1 }) },
    { counts: counts({ gone: 1 }) },
    { counts: counts({ failed: 1 }) },
    { counts: counts({ sent: 1, gone: 1 }) },
    { counts: counts({ sent: 1, failed: 1 }) },
    { counts: counts({ gone: 1, failed: 1 }) },
    { pending },
    { counts: counts({ sent: 1 }), pending },
  ])("of which %j is done is served by the runs that come, since a split would forget it", async (done) => {
    const { outcome, queue } = await resumed({ ...NEW, ...done }, 12);
    expect((await outcome()).kind).not.toBe("split");
    expect(queue.lanes["fanout-normal"]).toEqual([]);
  });
});

describe("rounds", () => {
  test("a run that sent to all as often as it may is one", async () => {
    const { outcome, ids, sockets } = await resumed({ ...NEW, counts: counts({ sent: 1 }), rounds: 1 }, 2);
    for (const id of ids.slice(0, 1)) sockets.fail(id, BUSY, BUSY, BUSY);
    expect(await outcome()).toMatchObject({ kind: "retry", reason: "429", progress: { rounds: 2 } });
  });

  test("the last one ends the message as dead", async () => {
    const { outcome, ids, sockets } = await resumed({ ...NEW, counts: counts({ sent: 1 }), rounds: 2 }, 2);
    for (const id of ids.slice(0, 1)) sockets.fail(id, BUSY, BUSY, BUSY);
    expect(await outcome()).toMatchObject({ kind: "ended", ending: "dead", progress: { rounds: 3 } });
  });

  test("a run whose time ran out is none, though it did nothing", async () => {
    const { outcome } = await resumed({ ...NEW, rounds: 2 }, 2);
    expect(await outcome(10_000)).toStrictEqual({
      ...{ kind: "retry", progress: { ...NEW, rounds: 2 } },
      reason: "the Lambda invocation ran out of time",
    });
  });

  const crowded = { pendingLimit: 2, pageSize: 2, firstPageSize: 2 };

  test("a run that stopped at the limit of pending connections after some pages is none", async () => {
    const { outcome, ids, sockets } = await resumed({ ...NEW, counts: counts({ sent: 1 }) }, 6, crowded);
    for (const id of ids) sockets.fail(id, BUSY, BUSY, BUSY);
    expect(await outcome()).toMatchObject({ kind: "retry", progress: { rounds: 0, pending: [{}, {}] } });
  });

  /** Two connections are pending, as many as may be, and the others are in the index. */
  async function full(busy: number) {
    const ids = (await resumed(NEW, 6)).ids;
    const from = after(sortKey(ids[1] ?? ids[0] ?? ("" as never)));
    const pending = ids.slice(0, 2).map((connectionId) => ({ connectionId, connectedAt: NOW - 60_000 }));
    const under = await resumed({ ...NEW, from, pending, counts: counts({ sent: 1 }) }, 6, {
      ...crowded,
      pendingLimit: busy,
    });
    for (const id of ids.slice(0, busy)) under.sockets.fail(id, ...Array<SendResult>(9).fill(BUSY));
    return under;
  }

  test("a run that could not get past its pending connections is one", async () => {
    expect(await (await full(2)).outcome()).toMatchObject({
      ...{ kind: "retry", reason: "429" },
      progress: { rounds: 1, pending: [{}, {}], counts: { sent: 1 } },
    });
  });

  test("a run that reached one of its pending connections is none", async () => {
    const under = await full(1);
    expect(await under.outcome()).toMatchObject({
      kind: "retry",
      progress: { rounds: 0, pending: [{}], counts: { sent: 2 } },
    });
  });
});

describe("the outcome", () => {
  test("delivered has no reason, though a connection was busy at first", async () => {
    const { outcome, ids, sockets } = await resumed({ ...NEW, counts: counts({ sent: 1 }) }, 1);
    for (const id of ids) sockets.fail(id, BUSY);
    expect(await outcome()).toStrictEqual({
      kind: "ended",
      ending: "delivered",
      progress: { ...NO_PROGRESS, counts: counts({ sent: 2 }) },
    });
  });

  test.each<Withdrawal>([
    "cancelled",
    "replaced",
  ])("of a message %s between two pages says so, with what was sent", async (why) => {
    const { outcome, sockets, withdraw } = await resumed({ ...NEW, counts: counts({ sent: 1 }) }, 6, {
      ...{ pageSize: 2, firstPageSize: 2 },
    });
    const { send } = sockets;
    sockets.send = (id, frame) => {
      withdraw(why);
      return send(id, frame);
    };
    expect(await outcome()).toMatchObject({ ending: why, progress: { counts: { sent: 3 } } });
  });

  test("of an expired message is written without a look at the index", async () => {
    const { outcome, subscriptions } = await resumed(NEW, 2);
    subscriptions.page = () => Promise.reject(new Error("the index was read"));
    expect(await outcome(60_000, { expiresAt: NOW })).toStrictEqual({
      ...{ kind: "ended", ending: "expired", progress: NEW },
    });
  });
});

describe("a message that cannot be sent now says why", () => {
  test("if another message is on its way to its connection", async () => {
    const { outcome, ids, sockets, clock } = await resumed({ ...NEW, rounds: 1 }, 1);
    for (const id of ids) sockets.fail(id, BUSY, BUSY, BUSY);
    await outcome();
    clock.advance(30_000);
    let answer = (_: SendResult) => {};
    sockets.send = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    const first = outcome();
    expect(await outcome()).toMatchObject({
      ...{ kind: "retry", reason: "another message is on its way to the connection" },
      progress: { rounds: 1, pending: [{}] },
    });
    answer({ kind: "sent" });
    expect(await first).toMatchObject({ kind: "ended", ending: "delivered" });
  });

  test("if its neighbour in the batch found that the gateway is down", async () => {
    const { run, ids, sockets, receipts } = await resumed({ ...NEW, counts: counts({ sent: 1 }) }, 6);
    const { claim, settle } = receipts;
    const outcomes: Record<string, Outcome> = {};
    let isSettled = () => {};
    const neighbour = new Promise<void>((resolve) => {
      isSettled = resolve;
    });
    receipts.claim = async (job, lease, now) => {
      if (job.message.id === "two") await neighbour;
      return claim(job, lease, now);
    };
    receipts.settle = (job, id, outcome, now) => {
      outcomes[job.message.id] = outcome;
      isSettled();
      return settle(job, id, outcome, now);
    };
    for (const id of ids) sockets.fail(id, { kind: "unavailable", reason: "503" });
    sockets.say("down");
    expect(await run([received(aMessageOf("one")), received(aMessageOf("two"))])).toHaveLength(2);
    expect(outcomes.one).toMatchObject({ kind: "retry", reason: "503", progress: { rounds: 0 } });
    expect(outcomes.two).toStrictEqual({
      ...{ kind: "retry", reason: "the gateway does not answer" },
      progress: { ...NEW, counts: counts({ sent: 1 }) },
    });
  });
});

test.each([
  { age: 34_999, left: 1 },
  { age: 35_000, left: 0 },
])("a 410 $age ms after the connect leaves $left row, since the gateway may still connect it until 35 s", async (kind) => {
  const { clock, outcome, ids, sockets, connections } = await resumed(NEW, 1);
  for (const id of ids) await sockets.close(id);
  const connectedAt = NOW - 60_000;
  const rows = connections.size();
  clock.advance(connectedAt + kind.age - clock.now());
  expect(await outcome()).toMatchObject({ progress: { counts: { gone: 1 } } });
  expect([rows, connections.size()]).toEqual([1, kind.left]);
});
