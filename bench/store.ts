import { once } from "node:events";
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { openStore, type Store } from "../local/engine/store/store.ts";
import { median, perCpuSecond, rateOf, ratio } from "./measure.ts";
import type { BenchReport } from "./report.ts";

/** Bytes that a group of one row adds to SQLite's log: two pages and their frames. */
const LOGGED = 2 * (4_096 + 24);
const VALUE = JSON.stringify({ target: { topic: "orders" }, data: "x".repeat(600) });
/** Rows that are written over and over. */
const KEYS = 5_000;

const CONTROL = "append and fdatasync";
const IN_THREAD = "the same in a thread";

const CONTROLS: readonly string[] = [CONTROL, IN_THREAD];
const APPENDER = `
  const { openSync, writeSync, fdatasyncSync } = require("node:fs");
  const { parentPort, workerData } = require("node:worker_threads");
  const file = openSync(workerData.path, "w");
  parentPort.on("message", () => {
    writeSync(file, workerData.bytes);
    fdatasyncSync(file);
    parentPort.postMessage(true);
  });`;

/** What it costs to keep something on one machine: a group of the store beside a bare append to a file. */
export async function store(): Promise<BenchReport> {
  const folder = mkdtempSync(join(tmpdir(), "tagwire-bench-"));
  const file = openSync(join(folder, "control"), "w");
  const bytes = Buffer.alloc(LOGGED);
  const thread = new Worker(APPENDER, { eval: true, workerData: { path: join(folder, "thread"), bytes } });
  const onDisk = await openStore({ folder: join(folder, "store") });
  const inMemory = await openStore();
  const times = new Map<string, number[]>();
  const timed = (name: string, act: () => Promise<unknown> | undefined, inFlight = 1) => {
    const taken: number[] = [];
    times.set(name, taken);
    const run = async () => {
      const start = performance.now();
      await act();
      taken.push(performance.now() - start);
    };
    return { name, run, inFlight };
  };
  let key = 0;
  const row = () => ({ table: "entries" as const, key: key++ % KEYS, value: VALUE });
  const put = (to: Store, rows: number) => () => to.write(Array.from({ length: rows }, row));
  const contestants = [
    timed(CONTROL, () => {
      writeSync(file, bytes);
      fdatasyncSync(file);
      return undefined;
    }),
    timed(IN_THREAD, () => {
      thread.postMessage(VALUE);
      return once(thread, "message");
    }),
    timed("a group of 1 row", put(onDisk, 1)),
    timed("a group of 20 rows", put(onDisk, 20)),
    timed("1 row, 20 writes in flight", put(onDisk, 1), 20),
    timed("1 row in memory", put(inMemory, 1)),
  ];
  const rates = await perCpuSecond(contestants, { rounds: 9, window: 500 });
  await Promise.all([onDisk.close(), inMemory.close(), thread.terminate()]);
  closeSync(file);
  rmSync(folder, { recursive: true });

  const cost = (name: string) => 1e6 / rateOf(rates, name);
  const timesOf = (name: string, control: string) => 1 / ratio(rates, name, control);
  return {
    name: "store",
    title: "Keeping on one machine",
    method:
      "The store of one machine: SQLite in a thread, which waits for the disk at each group. Counted is the CPU time of all " +
      `threads. Rows have ${VALUE.length} bytes; ${KEYS.toLocaleString("en-US")} of them are written over and over. The control appends what a group of ` +
      "one row adds to the log, and waits for the disk; in a thread, it is asked by a message and answers with one. Median and p99 are milliseconds from write to " +
      "resolved, of all rounds; with 20 writes in flight a write is counted, and a group has about as many. Nine rounds of half a second, medians; ratios compare within a round.",
    packages: ["libsql"],
    columns: ["the store", "CPU µs", "× append", "× in a thread", "median ms", "p99 ms"],
    rows: contestants.map(({ name }) => ({
      control: CONTROLS.includes(name),
      cells: [
        name,
        cost(name),
        timesOf(name, CONTROL),
        timesOf(name, IN_THREAD),
        median(times.get(name) ?? []),
        p99(times.get(name) ?? []),
      ],
    })),
    invariants: [
      {
        what: "CPU of a group of 1 row to a bare append in a thread",
        got: timesOf("a group of 1 row", IN_THREAD),
        wants: { most: 2 },
      },
    ],
    chart: {
      title: "CPU µs of what is kept",
      bars: contestants.map(({ name }) => ({
        label: name,
        value: cost(name),
        control: CONTROLS.includes(name),
      })),
    },
  };
}

const p99 = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.99)] ?? Number.NaN;
