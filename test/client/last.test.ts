import { expect, test } from "vitest";
import type { Client } from "../../client/index.ts";
import { seeded } from "../../testing/random.ts";
import { streamRouter } from "./support/streams.ts";
import { recorded, type World, world } from "./support/world.ts";

const HOUR = 3_600_000;
const STEPS = 60;

interface Reader {
  readonly last: number;
  readonly got: number[];
  /** Where the stream was when the reader had its subscription. */
  from: number;
  end?: () => void;
}

/** A handler, a slow one or a loop, with or without last messages. */
function reader(it: World, client: Client, random: () => number, head: () => number): Reader {
  const read: Reader = { last: random() < 0.5 ? 0 : Math.ceil(random() * 6), got: [], from: 0 };
  const isSlow = random() < 0.4;
  const take = ({ seq = 0 }) => {
    read.got.push(seq);
    if (isSlow) return new Promise<void>((resolve) => void it.runtime.after(random() * 300, resolve));
    return undefined;
  };
  const isLoop = random() < 0.3;
  const { last } = read;
  const orders = isLoop ? client.subscribe("orders", { last }) : client.subscribe("orders", take, { last });
  if (isLoop)
    void (async () => {
      for await (const message of orders) await take(message);
    })();
  void orders.ready.then(() => {
    read.from = head();
  });
  read.end = orders.unsubscribe;
  return read;
}

/** A page whose readers come and go while frames are late, lost and refused; and then an hour without faults. */
async function page(seed: number, count: number) {
  const random = seeded(seed);
  const it = world({ random });
  let isCalm = false;
  const chaos = () => (random() < 0.03 ? undefined : random() * (random() < 0.2 ? 3_000 : 50));
  const router = streamRouter(it, { count, page: 4, late: () => (isCalm ? 1 : chaos()) });
  const replies = it.script.onFrame;
  it.script.onFrame = (socket, sent) => {
    const { ref } = sent;
    if (isCalm || random() > 0.1) replies(socket, sent);
    else socket.send({ type: "error", code: "TABLE_UNAVAILABLE", detail: "later", ref });
  };
  router.publish("orders");
  const head = () => router.head("orders");
  const withData: number[] = [];
  const client = it.connect();
  const { of } = recorded(client);
  const readers = [reader(it, client, random, head)];
  for (let step = 0; step < STEPS; step += 1) {
    const what = random();
    const cancelled = random() < 0.1;
    if (what < 0.5) {
      const seq = router.publish("orders", { cancelled });
      if (!cancelled) withData.push(seq);
    } else if (what < 0.6) readers.push(reader(it, client, random, head));
    else if (what < 0.65 && readers.length > 1) readers.splice(1, 1)[0]?.end?.();
    else if (what < 0.7) it.sockets.findLast(({ state }) => state === "open")?.close();
    await it.advance(random() < 0.4 ? 0 : random() * 2_000);
  }
  isCalm = true;
  await it.advance(HOUR);
  return { client, readers, withData, gaps: of("gap"), head: head() };
}

test.each([
  { why: "all is kept", count: 10_000 },
  { why: "little is kept", count: 6 },
])("readers that come and go, with last messages or without, get all from there on, in order, once: $why", async ({
  count,
}) => {
  for (let seed = 1; seed <= 60; seed += 1) {
    const { client, readers, withData, gaps, head } = await page(seed, count);
    expect(client.positions()["orders"], `seed ${seed}`).toBe(head);
    for (const { last, got, from } of readers) {
      const label = `seed ${seed}, last ${last}, from ${from}`;
      expect(got, label).toEqual([...new Set(got)].sort((a, b) => a - b));
      const first = last > 0 ? Math.min(from, (got[0] ?? head) - 1) : from;
      const missing = withData.filter((seq) => seq > first && !got.includes(seq));
      const isIn = (seq: number) => gaps.some(({ since, position = 0 }) => seq > since && seq <= position);
      expect(
        missing.filter((seq) => !isIn(seq)),
        label,
      ).toEqual([]);
    }
    client.close();
  }
});
