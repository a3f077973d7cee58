import { describe, expect, test } from "vitest";
import { seeded } from "../../testing/random.ts";
import { streamRouter } from "./support/streams.ts";
import { recorded, type ServedSocket, world } from "./support/world.ts";

const MINUTE = 60_000;
const numbers = (got: readonly { seq?: number | undefined }[]) => got.map(({ seq = 0 }) => seq);

async function subscribed(options: Parameters<typeof streamRouter>[1] = {}) {
  const it = world();
  const router = streamRouter(it, options);
  router.publish("orders");
  const client = it.connect();
  const got: { seq?: number | undefined }[] = [];
  const orders = client.subscribe("orders", (message) => got.push(message));
  await it.settle();
  const events = recorded(client);
  return { it, router, client, got, orders, ...events, socket: it.sockets[0] as ServedSocket };
}

describe("a stream", () => {
  test("goes on after a cut where it was, and says that all was recovered", async () => {
    const { it, router, got, of, socket } = await subscribed({ page: 2 });
    router.publish("orders");
    await it.settle();
    socket.close();
    for (let n = 0; n < 5; n += 1) router.publish("orders", { cancelled: n === 2 });
    await it.advance(5_000);
    expect(numbers(got)).toEqual([1001, 1002, 1003, 1005, 1006]);
    expect(of("recovered")).toEqual([{ topic: "orders", since: 1001, position: 1006 }]);
    expect(of("gap")).toEqual([]);
  });

  test("of which too little is kept has a gap", async () => {
    const { it, router, got, of, socket } = await subscribed({ count: 2 });
    socket.close();
    for (let n = 0; n < 5; n += 1) router.publish("orders");
    await it.advance(5_000);
    router.publish("orders");
    await it.settle();
    expect(of("gap")).toEqual([{ topic: "orders", since: 1000, position: 1005 }]);
    expect(of("recovered")).toEqual([]);
    expect(numbers(got)).toEqual([1006]);
  });

  test("with a hole waits for 2 to 4 s, and then fetches what is missing", async () => {
    const { it, router, got, socket } = await subscribed();
    router.members.get(socket)?.delete("orders");
    router.publish("orders");
    router.members.get(socket)?.add("orders");
    router.publish("orders");
    await it.advance(2_000);
    expect(socket.ofType("history")).toEqual([]);
    await it.advance(2_000);
    expect(socket.ofType("history")).toMatchObject([{ topic: "orders", since: 1000 }]);
    expect(numbers(got)).toEqual([1001, 1002]);
  });

  test("whose hole is filled in time fetches nothing", async () => {
    const { it, router, got, socket } = await subscribed({
      late: (() => {
        let n = 0;
        return () => (++n === 2 ? 1_500 : 0);
      })(),
    });
    router.publish("orders");
    router.publish("orders");
    await it.advance(10_000);
    expect(numbers(got)).toEqual([1001, 1002]);
    expect(socket.ofType("history")).toEqual([]);
  });

  test("gives each hole its own time", async () => {
    let wait = 0;
    const { it, router, got, socket } = await subscribed({ late: () => wait });
    const publish = (milliseconds: number) => {
      wait = milliseconds;
      router.publish("orders");
    };
    publish(2_500);
    publish(0);
    await it.advance(2_600);
    publish(1_500);
    publish(0);
    await it.advance(10_000);
    expect(numbers(got)).toEqual([1001, 1002, 1003, 1004]);
    expect(socket.ofType("history")).toEqual([]);
  });

  test("whose history is forbidden has a gap, and goes on", async () => {
    const { it, router, got, of, socket } = await subscribed();
    const replies = it.script.onFrame;
    it.script.onFrame = (to, sent) =>
      sent["type"] === "history"
        ? to.send({ type: "error", code: "TOPIC_FORBIDDEN", detail: "no", ref: sent["ref"] })
        : replies(to, sent);
    router.members.get(socket)?.delete("orders");
    router.publish("orders");
    router.members.get(socket)?.add("orders");
    router.publish("orders");
    await it.advance(10_000);
    expect(of("gap")).toEqual([{ topic: "orders", since: 1000, position: 1001 }]);
    expect(numbers(got)).toEqual([1002]);
  });

  test("whose history cannot be read at the moment is asked again", async () => {
    const { it, router, got, of, socket } = await subscribed();
    const replies = it.script.onFrame;
    let failures = 3;
    it.script.onFrame = (to, sent) =>
      sent["type"] === "history" && failures-- > 0
        ? to.send({ type: "error", code: "TABLE_UNAVAILABLE", detail: "later", ref: sent["ref"] })
        : replies(to, sent);
    router.members.get(socket)?.delete("orders");
    router.publish("orders");
    router.members.get(socket)?.add("orders");
    router.publish("orders");
    await it.advance(MINUTE);
    expect(of("gap")).toEqual([]);
    expect(numbers(got)).toEqual([1001, 1002]);
  });

  test("whose history brings nothing is not asked for ever: it has a gap", async () => {
    const { it, router, got, of, socket } = await subscribed();
    const replies = it.script.onFrame;
    it.script.onFrame = (to, sent) =>
      sent["type"] === "history"
        ? to.send({
            type: "history",
            topic: "orders",
            messages: [],
            position: 1000,
            more: true,
            gap: false,
            ref: sent["ref"],
          })
        : replies(to, sent);
    router.members.get(socket)?.delete("orders");
    router.publish("orders");
    router.members.get(socket)?.add("orders");
    router.publish("orders");
    await it.advance(MINUTE);
    expect(of("gap")).toEqual([{ topic: "orders", since: 1000, position: 1001 }]);
    expect(numbers(got)).toEqual([1002]);
    expect(socket.ofType("history").length).toBeLessThan(10);
  });

  test("whose last message never came is found by the next ping", async () => {
    const { it, router, got, socket } = await subscribed();
    router.members.get(socket)?.delete("orders");
    router.publish("orders");
    await it.advance(9 * MINUTE + 10_000);
    expect(socket.ofType("ping")).toMatchObject([{ positions: { orders: 1000 } }]);
    expect(numbers(got)).toEqual([1001]);
  });

  test("of the user is that of @user", async () => {
    const it = world();
    const router = streamRouter(it);
    const client = it.connect();
    const got: { seq?: number | undefined }[] = [];
    client.receive("user", (message) => got.push(message));
    await it.settle();
    router.publish("@user");
    await it.settle();
    it.sockets[0]?.close();
    router.publish("@user");
    await it.advance(5_000);
    expect(it.sockets[1]?.got).toMatchObject([{ topics: ["@user"], since: { "@user": 1000 } }]);
    expect(numbers(got)).toEqual([1000, 1001]);
    expect(client.positions()).toEqual({ "@user": 1001 });
  });

  test("that nobody wants any more is forgotten: who comes later begins anew", async () => {
    const { it, router, client, got, orders, socket } = await subscribed();
    orders.unsubscribe();
    await it.settle();
    expect(client.positions()).toEqual({});
    router.publish("orders");
    client.subscribe("orders", (message) => got.push(message));
    await it.settle();
    expect(socket.ofType("subscribe").at(-1)).not.toHaveProperty("since");
    router.publish("orders");
    await it.settle();
    expect(numbers(got)).toEqual([1002]);
  });
});

describe("positions", () => {
  test("are given out after the handler has returned, and a page goes on from them", async () => {
    const { it, router, client, got } = await subscribed();
    const seen: unknown[] = [];
    client.subscribe("orders", () => seen.push(client.positions()["orders"]));
    router.publish("orders");
    await it.settle();
    expect(seen).toEqual([1000]);
    expect(client.positions()).toEqual({ orders: 1001 });
    const kept = client.positions();
    client.close();
    router.publish("orders");
    const next = it.connect({ positions: kept });
    const { of } = recorded(next);
    next.subscribe("orders", (message) => got.push(message), { last: 10 });
    await it.settle();
    expect(numbers(got)).toEqual([1001, 1002]);
    expect(of("recovered")).toEqual([{ topic: "orders", since: 1001, position: 1002 }]);
    expect(it.sockets[1]?.ofType("history")).toEqual([]);
  });

  test("wait for the slowest: a promise of a handler, and the turn of a loop", async () => {
    const { it, router, client } = await subscribed();
    let go = () => {};
    client.subscribe(
      "orders",
      () =>
        new Promise<void>((resolve) => {
          go = resolve;
        }),
    );
    const loop = client.subscribe("orders")[Symbol.asyncIterator]();
    router.publish("orders");
    router.publish("orders");
    await it.settle();
    expect(client.positions()).toEqual({ orders: 1000 });
    await loop.next();
    go();
    await it.settle();
    expect(client.positions()).toEqual({ orders: 1000 });
    await loop.next();
    expect(client.positions()).toEqual({ orders: 1001 });
    void loop.next();
    go();
    await it.settle();
    expect(client.positions()).toEqual({ orders: 1002 });
  });

  test("inside a reply of many, and in the event of a gap, stand where the handlers stand", async () => {
    const { it, router, client, socket } = await subscribed({ count: 3 });
    const seen: unknown[] = [];
    const look = (what: unknown) => seen.push([what, client.positions()["orders"]]);
    client.subscribe("orders", ({ seq }) => look(seq));
    client.on("gap", () => look("gap"));
    socket.close();
    for (let n = 0; n < 2; n += 1) router.publish("orders");
    await it.advance(5_000);
    it.sockets[1]?.close();
    for (let n = 0; n < 5; n += 1) router.publish("orders");
    await it.advance(5_000);
    expect(seen).toEqual([
      [1001, 1000],
      [1002, 1000],
      ["gap", 1007],
    ]);
  });
});

describe("the last messages", () => {
  test("come first, then what comes, each once", async () => {
    const { it, router, client } = await subscribed({ page: 2 });
    for (let n = 0; n < 6; n += 1) router.publish("orders");
    await it.settle();
    const got: { seq?: number | undefined }[] = [];
    client.subscribe("orders", (message) => got.push(message), { last: 5 });
    router.publish("orders");
    await it.settle();
    router.publish("orders");
    await it.settle();
    expect(numbers(got)).toEqual([1002, 1003, 1004, 1005, 1006, 1007, 1008].slice(-numbers(got).length));
    expect(got.length).toBeGreaterThanOrEqual(6);
  });

  test("of a topic that keeps no stream are none", async () => {
    const { it, router, client } = await subscribed();
    const got: unknown[] = [];
    client.subscribe("plain", ({ data }) => got.push(data), { last: 5 });
    await it.settle();
    router.publish("plain");
    await it.settle();
    expect(got).toHaveLength(1);
  });

  test("are fetched by the next connection, if the first is cut before they came", async () => {
    const { it, router, client, socket } = await subscribed();
    for (let n = 0; n < 3; n += 1) router.publish("orders");
    await it.settle();
    socket.cutSilently();
    const got: { seq?: number | undefined }[] = [];
    client.subscribe("orders", (message) => got.push(message), { last: 2 });
    await it.advance(MINUTE);
    router.publish("orders");
    await it.settle();
    expect(numbers(got)).toEqual([1002, 1003, 1004]);
  });

  test("come again after a gap, as far as they are new: a latest value is never stale", async () => {
    const { it, router, client, socket } = await subscribed({ count: 2 });
    const got: { seq?: number | undefined }[] = [];
    client.subscribe("orders", (message) => got.push(message), { last: 1 });
    await it.settle();
    socket.close();
    for (let n = 0; n < 5; n += 1) router.publish("orders");
    await it.advance(5_000);
    expect(numbers(got)).toEqual([1000, 1005]);
  });
});

test("a day of rotations loses nothing, with a stream or without, and repeats nothing", async () => {
  const it = world({ random: seeded(7) });
  const random = seeded(8);
  const router = streamRouter(it, { late: () => random() * 1_500 });
  const client = it.connect();
  const { of } = recorded(client);
  const got = { orders: [] as unknown[], plain: [] as unknown[] };
  for (const name of ["orders", "plain"] as const) client.subscribe(name, ({ data }) => got[name].push(data));
  await it.advance(10_000);
  const posted = { orders: [] as number[], plain: [] as number[] };
  for (let n = 0; n < 24 * 60 * 6; n += 1) {
    for (const name of ["orders", "plain"] as const) posted[name].push(router.publish(name));
    await it.advance(10_000);
  }
  expect(got.orders).toEqual(posted.orders);
  expect(got.plain).toEqual(posted.plain);
  expect(it.sockets.length).toBeGreaterThanOrEqual(13);
  expect(it.peak()).toBe(2);
  expect(of("state")).toEqual([{ state: "connected" }]);
  expect([...of("gap"), ...of("recovered"), ...of("error")]).toEqual([]);
});

/** How a schedule goes wrong. Some of the names are of nothing that happens. */
const FAULTS = ["cut", "half-open", "sleep", "restart", "lose", "wake"] as const;
const CALM = FAULTS.length * 3;

/** A page through a schedule of faults, and then an hour without any: long enough for the next ping. */
async function schedule(seed: number, count: number) {
  const random = seeded(seed);
  const it = world({ random });
  let isLosing = false;
  const late = () => (isLosing && random() < 0.3 ? undefined : random() * (random() < 0.2 ? 3_000 : 20));
  const router = streamRouter(it, { count, page: 5, late });
  const accept = it.script.onSocket;
  router.publish("orders");
  const client = it.connect();
  const { of } = recorded(client);
  const got: number[] = [];
  const { ready } = client.subscribe("orders", ({ seq = 0 }) => got.push(seq));
  await it.advance(20_000);
  await ready;
  const start = router.head("orders");
  const withData: number[] = [];
  for (let step = 0; step < 120; step += 1) {
    const cancelled = random() < 0.1;
    if (random() < 0.5) {
      const seq = router.publish("orders", { cancelled });
      if (!cancelled) withData.push(seq);
    }
    const current = it.sockets.filter(({ state }) => state === "open").at(-1);
    const fault = FAULTS[Math.floor(random() * (FAULTS.length + CALM))];
    if (fault === "cut") current?.close(random() < 0.5 ? 1001 : 1006);
    if (fault === "half-open") current?.cutSilently();
    if (fault === "sleep") await it.sleep(random() * 30 * MINUTE);
    if (fault === "wake") await it.wake();
    if (fault === "lose") isLosing = !isLosing;
    if (fault === "restart") {
      for (const socket of it.sockets) socket.close(1012);
      it.script.onSocket = (socket) => socket.refuse();
      it.runtime.after(random() * 20_000, () => {
        it.script.onSocket = accept;
      });
    }
    await it.advance(random() * (random() < 0.1 ? 10 * MINUTE : 3_000));
  }
  isLosing = false;
  await it.advance(60 * MINUTE);
  return { it, client, got, gaps: of("gap"), start, withData, head: router.head("orders") };
}

describe.each([
  { why: "all is kept", count: 10_000 },
  { why: "little is kept", count: 8 },
])("through random cuts, half-open sockets, sleeps, restarts and losses, where $why", ({ count }) => {
  test("nothing is missing but in a gap that is real, nothing comes twice, nothing out of order", async () => {
    let gapCount = 0;
    for (let seed = 1; seed <= 60; seed += 1) {
      const { it, client, got, gaps, start, withData, head } = await schedule(seed, count);
      const label = `seed ${seed}`;
      expect(client.state, label).toBe("connected");
      expect(client.positions()["orders"], label).toBe(head);
      expect(got, label).toEqual([...new Set(got)].sort((a, b) => a - b));
      const missing = withData.filter((seq) => seq > start && !got.includes(seq));
      const isIn = (seq: number, gap: { since: number; position?: number }) =>
        seq > gap.since && seq <= (gap.position ?? 0);
      expect(
        missing.filter((seq) => !gaps.some((gap) => isIn(seq, gap))),
        label,
      ).toEqual([]);
      for (const gap of gaps) {
        const count_ = (gap.position ?? 0) - gap.since;
        const numbersIn = Array.from({ length: count_ }, (_, i) => gap.since + 1 + i);
        expect(
          numbersIn.some((seq) => !got.includes(seq)),
          `${label}: ${JSON.stringify(gap)}`,
        ).toBe(true);
      }
      expect(it.peak(), label).toBeLessThanOrEqual(2);
      gapCount += gaps.length;
      client.close();
    }
    if (count > 1_000) expect(gapCount).toBe(0);
    else expect(gapCount).toBeGreaterThan(30);
  });
});
