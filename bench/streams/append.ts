import { append } from "../../shared/pipeline/streams/append.ts";
import { knownHead } from "../../shared/pipeline/streams/head.ts";
import { rememberedHeads } from "../../shared/pipeline/streams/heads.ts";
import type { Tag } from "../../shared/protocol/tag.ts";
import { median } from "../measure.ts";
import { type VirtualTable, virtualTable } from "./virtual.ts";

export interface Load {
  readonly runs: number;
  /** Messages of the topic per second. Without it each run appends one message after the other. */
  readonly perSecond?: number;
}

/** What appends to one stream came to. */
export interface Appended {
  readonly perSecond: number;
  /** Messages that waited for a run at the end. */
  readonly waiting: number;
  /** Per message. */
  readonly calls: number;
  readonly reads: number;
  readonly writes: number;
  /** Milliseconds that an append took. */
  readonly median: number;
  readonly p99: number;
}

/** Milliseconds of a call of a table, and of what a run does for a batch beside its claim and its append. */
export const CALL = 5;
export const REST = 40;

/** Messages of a kilobyte, row included: one write unit. */
const FRAME = JSON.stringify({ type: "message", id: "m", topic: "orders", data: "x".repeat(840) });

const ORDERS = "topic:orders" as Tag;
const RETENTION = { seconds: 3_600, count: 1_000 };
const SECONDS = 30;
const SEEDS = ["1", "2", "3"];

/** The mean over three seeds of what 30 seconds of a load come to. */
export async function appended(load: Load): Promise<Appended> {
  const all: Appended[] = [];
  for (const seed of SEEDS) all.push(await oneLoad(load, seed));
  const mean = (of: (one: Appended) => number) => all.reduce((sum, one) => sum + of(one), 0) / all.length;
  return {
    perSecond: mean((one) => one.perSecond),
    waiting: mean((one) => one.waiting),
    calls: mean((one) => one.calls),
    reads: mean((one) => one.reads),
    writes: mean((one) => one.writes),
    median: mean((one) => one.median),
    p99: mean((one) => one.p99),
  };
}

async function oneLoad({ runs, perSecond }: Load, seed: string): Promise<Appended> {
  const table = virtualTable(CALL, seed);
  const { time, random } = table;
  const took: number[] = [];
  const start = time.now();
  let waiting = 0;
  let done = 0;
  let wake: (() => void)[] = [];
  const arriving = async (rate: number) => {
    for (;;) {
      await time.sleep((-Math.log(1 - random()) * 1_000) / rate);
      waiting++;
      const [first, ...rest] = wake;
      wake = rest;
      first?.();
    }
  };
  const receive = async (): Promise<number> => {
    if (perSecond === undefined) return 1;
    while (waiting === 0) await new Promise<void>((resolve) => wake.push(resolve));
    const batch = Math.min(10, waiting);
    waiting -= batch;
    return batch;
  };
  const container = async (name: number) => {
    const deps = { ...table, heads: rememberedHeads(table.clock) };
    await time.sleep(random() * REST);
    for (let run = 0; ; run++) {
      const batch = await receive();
      if (perSecond !== undefined) {
        await knownHead(deps, ORDERS);
        await time.sleep(CALL);
      }
      const before = time.now();
      const by = { id: `${name}-${run}`, end: Number.POSITIVE_INFINITY };
      const frames = Array<string>(batch).fill(FRAME);
      const numbers = await append(deps, ORDERS, RETENTION, by, frames);
      done += numbers.length;
      took.push(time.now() - before);
      if (perSecond !== undefined) await time.sleep(REST * (0.5 + random()));
    }
  };
  if (perSecond !== undefined) void arriving(perSecond);
  for (let name = 0; name < runs; name++) void container(name);
  await time.run(() => time.now() - start >= SECONDS * 1_000);
  return resultOf(table, { done, waiting, took });
}

function resultOf(
  { used }: VirtualTable,
  { done, waiting, took }: { done: number; waiting: number; took: readonly number[] },
): Appended {
  const sorted = took.toSorted((a, b) => a - b);
  return {
    perSecond: done / SECONDS,
    waiting,
    calls: used.calls / done,
    reads: used.read / done,
    writes: used.write / done,
    median: median(took),
    p99: sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN,
  };
}
