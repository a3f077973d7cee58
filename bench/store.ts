import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStore, type Store } from "../local/engine/store/store.ts";
import { median, perCpuSecond, rateOf, ratio } from "./measure.ts";
import type { BenchReport } from "./report.ts";

/** Bytes that a group of one row adds to SQLite's log: two pages and their frames. */
const LOGGED = 2 * (4_096 + 24);
const VALUE = JSON.stringify({ target: { topic: "orders" }, data: "x".repeat(600) });
/** Rows that are written over and over. */
const KEYS = 5_000;

const CONTROL = "append and fdatasync";

/** What it costs to keep something on one machine: a group of the store beside a bare append to a file. */
export async function store(): Promise<BenchReport> {
  const folder = mkdtempSync(join(tmpdir(), "tagwire-bench-"));
  const file = openSync(join(folder, "control"), "w");
  const bytes = Buffer.alloc(LOGGED);
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
    timed("a group of 1 row", put(onDisk, 1)),
    timed("a group of 20 rows", put(onDisk, 20)),
    timed("1 row, 20 writes in flight", put(onDisk, 1), 20),
    timed("1 row in memory", put(inMemory, 1)),
  ];
  const rates = await perCpuSecond(contestants, { rounds: 9, window: 500 });
  await Promise.all([onDisk.close(), inMemory.close()]);
  closeSync(file);
  rmSync(folder, { recursive: true });

  const cost = (name: string) => 1e6 / rateOf(rates, name);
  const timesControl = (name: string) => 1 / ratio(rates, name, CONTROL);
  return {
    name: "store",
    title: "Keeping on one machine",
    method:
      "The store of one machine: SQLite in a thread, which waits for the disk at each group. Counted is the CPU time of all " +
      `threads. Rows have ${VALUE.length} bytes; ${KEYS.toLocaleString("en-US")} of them are written over and over. The control appends what a group of ` +
      "one row adds to the log, and waits for the disk, without a thread. Median and p99 are milliseconds from write to " +
      "resolved, of all rounds; with 20 writes in flight a write is counted, and a group has about as many. Nine rounds of half a second, medians; ratios compare within a round.",
    packages: ["libsql"],
    columns: ["the store", "CPU µs", "× control", "median ms", "p99 ms"],
    rows: contestants.map(({ name }) => ({
      control: name === CONTROL,
      cells: [
        name,
        cost(name),
        timesControl(name),
        median(times.get(name) ?? []),
        p99(times.get(name) ?? []),
      ],
    })),
    invariants: [
      {
        what: "CPU of a group of 1 row to a bare append",
        got: timesControl("a group of 1 row"),
        wants: { most: 6 },
      },
    ],
    chart: {
      title: "CPU µs of what is kept",
      bars: contestants.map(({ name }) => ({ label: name, value: cost(name), control: name === CONTROL })),
    },
  };
}

const p99 = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.99)] ?? Number.NaN;
