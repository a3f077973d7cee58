import { setTimeout as pause } from "node:timers/promises";
import { expect } from "vitest";
import type { Router } from "../../../local/options.ts";
import { seeded } from "../../../testing/random.ts";
import { connect, tokenFor } from "../../support/client.ts";
import { type Cable, cable } from "./cable.ts";
import type { Page } from "./hasty.ts";

/** Streams of the schedules: all is kept, or so little that gaps must come. */
export const STREAMS = [
  { topics: "whole/*", seconds: 3_600, count: 10_000 },
  { topics: "little/*", seconds: 3_600, count: 8 },
];

/** How much faster the clock of a page runs: an answer has 3.3 s. */
export const SPEED = 3;

const FAULTS = ["cut", "half-open", "sleep", "restart", "gateway", "forget", "wake"] as const;

export interface Told {
  readonly got: readonly number[];
  readonly gaps: readonly { since: number; position?: number }[];
  /** All numbers that the router gave out after the page had subscribed. */
  readonly sent: readonly number[];
  readonly faults: readonly string[];
}

/** Drives a page through a random schedule of faults under a running publisher, and returns what it saw. */
async function drive(
  router: Router,
  open: (url: string, topic: string) => Promise<Page>,
  { topic, seed, steps }: { topic: string; seed: number; steps: number },
): Promise<Told> {
  const random = seeded(seed);
  const line = await cable(Number(new URL(router.url).port));
  const watcher = await watch(router, topic);
  const sent: number[] = [];
  let watching: Promise<void> | undefined;
  let publisher: Promise<void> | undefined;
  let isOver = false;
  const page = await open(`ws://127.0.0.1:${line.port}`, topic);
  try {
    await expect.poll(page.state, { timeout: 60_000 }).toBe("connected");
    const token = await tokenFor("shop");
    let posted = 0;
    publisher = (async () => {
      while (!isOver) {
        await post(router.url, token, topic, posted);
        posted += 1;
        await pause(random() * 120);
      }
    })();
    watching = (async () => {
      for (;;) sent.push(((await watcher.next()) as { seq: number }).seq);
    })().catch(() => {});
    for (let step = 0; step < steps; step += 1) {
      await fail(FAULTS[Math.floor(random() * FAULTS.length)] ?? "cut", { router, line, page, random });
      await pause(random() * 900);
    }
    // A busy machine has posted little so far.
    await expect.poll(() => posted, { timeout: 60_000 }).toBeGreaterThan(20);
    isOver = true;
    await publisher;
    await expect.poll(() => new Set(sent).size, { timeout: 60_000 }).toBe(posted);
    const last = Math.max(...sent);
    await page.wake();
    await expect.poll(page.position, { timeout: 120_000, interval: 100 }).toBe(last);
    return { got: await page.got(), gaps: await page.gaps(), sent, faults: await page.faults() };
  } finally {
    isOver = true;
    await publisher?.catch(() => {});
    await page.close();
    line.close();
    await watcher.close();
    await watching;
  }
}

interface Scene {
  readonly router: Router;
  readonly line: Cable;
  readonly page: Page;
  readonly random: () => number;
}

async function fail(fault: (typeof FAULTS)[number], { router, line, page, random }: Scene): Promise<void> {
  if (fault === "cut") line.cut();
  if (fault === "wake") await page.wake();
  if (fault === "half-open") {
    line.freeze();
    await pause(random() * 500);
    await page.wake();
  }
  if (fault === "sleep") {
    line.freeze();
    await page.sleep(60_000 + random() * 3_600_000);
    await pause(random() * 500);
  }
  // The gateway is away for a while, and all its connections are gone.
  if (fault === "restart") {
    line.refuse(true);
    line.cut();
    await pause(random() * 1_500);
    line.refuse(false);
  }
  // Sends fail, and the consumer tries again.
  if (fault === "gateway") {
    const end = router.spy.startOutage(503);
    await pause(random() * 300);
    end();
  }
  // The gateway restarts: it forgets the connections of all pages, and their rows stay.
  if (fault === "forget" && watchersOpening === 0)
    for (const id of router.spy.connections()) if (!watchers.has(id)) router.spy.kill(id);
}

/** The connections that no schedule breaks. */
const watchers = new Set<string>();
let watchersOpening = 0;

/** A client of the tests' own on the direct way: the record of what was sent. */
async function watch(router: Router, topic: string) {
  watchersOpening += 1;
  const watcher = await connect(router, "watcher");
  watcher.send({ type: "ping" });
  watchers.add(((await watcher.next()) as { connection: string }).connection);
  watchersOpening -= 1;
  watcher.send({ type: "subscribe", topics: [topic] });
  await watcher.next();
  return watcher;
}

/** Posts a message until it is accepted. A busy machine refuses some. */
async function post(url: string, token: string, topic: string, n: number): Promise<void> {
  const response = await fetch(`${url}/v1/messages`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ id: `${topic.replace("/", ":")}:${n}`, target: { topic }, data: n }),
  });
  await response.body?.cancel();
  if (response.status === 503) return post(url, token, topic, n);
  expect(response.status).toBe(202);
}

/** Nothing missing but in a gap that is real, nothing twice, nothing out of order. */
function judge({ got, gaps, sent, faults }: Told, label: string): void {
  expect(sent.length, `${label}: enough was sent`).toBeGreaterThan(20);
  const known = [...sent].sort((a, b) => a - b);
  expect(got, `${label}: in order, once`).toEqual([...new Set(got)].sort((a, b) => a - b));
  const mine = new Set(got);
  const isIn = (seq: number, { since, position = 0 }: { since: number; position?: number }) =>
    seq > since && seq <= position;
  const missing = known.filter((seq) => !mine.has(seq));
  expect(
    missing.filter((seq) => !gaps.some((gap) => isIn(seq, gap))),
    `${label}: missing, and in no gap`,
  ).toEqual([]);
  for (const gap of gaps)
    expect(
      missing.some((seq) => isIn(seq, gap)),
      `${label}: a gap that misses nothing: ${JSON.stringify(gap)}`,
    ).toBe(true);
  expect(faults, label).toEqual([]);
}

const AT_ONCE = 4;

/** Runs schedules of the seeds from 1 on, some at once, and judges each. Returns how many gaps were told in all. */
export async function runSchedules(
  router: Parameters<typeof drive>[0],
  open: Parameters<typeof drive>[1],
  { kept, schedules }: { readonly kept: string; readonly schedules: number },
): Promise<number> {
  let gaps = 0;
  const seeds = Array.from({ length: schedules }, (_, i) => i + 1);
  const next = async (): Promise<void> => {
    const seed = seeds.shift();
    if (seed === undefined) return;
    const told = await drive(router, open, { topic: `${kept}/${seed}`, seed, steps: 10 });
    judge(told, `${kept}, seed ${seed}`);
    gaps += told.gaps.length;
    return next();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
  return gaps;
}
