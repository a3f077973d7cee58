import { describe, expect, test } from "vitest";
import { seeded } from "../../testing/random.ts";
import { streamRouter } from "./support/streams.ts";
import { recorded, world } from "./support/world.ts";

const MINUTE = 60_000;

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
        const span = (gap.position ?? 0) - gap.since;
        const numbersIn = Array.from({ length: span }, (_, i) => gap.since + 1 + i);
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
