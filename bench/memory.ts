import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { median } from "./measure.ts";
import type { BenchReport } from "./report.ts";

const run = promisify(execFile);
const SIZES = [10_000, 100_000, 1_000_000] as const;
const FRAMES = 1_000_000;
const ROUNDS = 5;

interface Row {
  readonly label: string;
  readonly way: "tagwire" | "plain";
  readonly messages: (size: number) => number;
}

const JUDGED: Row = { label: "Tagwire", way: "tagwire", messages: (size) => FRAMES / size };
const ROWS: readonly Row[] = [
  { ...JUDGED, label: "plain: look all up, then post", way: "plain" },
  JUDGED,
  { ...JUDGED, label: "Tagwire, one message only", messages: () => 1 },
];

/** Peak memory of delivering to ever larger audiences. */
export async function memory(): Promise<BenchReport> {
  const cells = ROWS.flatMap((row) => SIZES.map((size) => ({ row, size, peaks: [] as number[] })));
  for (let round = 0; round < ROUNDS; round++) {
    for (const { row, size, peaks } of cells) {
      const args = [row.way, String(size), String(row.messages(size))];
      const { stdout } = await run(process.execPath, [
        resolve("node_modules/.cache/tagwire/deliver.mjs"),
        ...args,
      ]);
      peaks.push((JSON.parse(stdout) as { peak: number }).peak);
    }
  }
  const peak = (row: Row, size: number) =>
    median(cells.find((cell) => cell.row === row && cell.size === size)?.peaks ?? []);
  const [small, , large] = SIZES;
  return {
    name: "memory",
    title: "Memory of a large audience",
    method:
      "The pipeline delivers to a topic in a single run, which no function is given: by default a run serves 5,000 and the " +
      "rest becomes jobs. Lists and sockets are simulated, their rows made when they are read. Each cell is the peak resident " +
      `set of a Node process of its own, ${ROUNDS} times, medians. V8 takes memory by what was allocated so far and not by what is ` +
      "held, so only cells of equal work compare: each posts a million frames, as a hundred messages to 10,000, ten to " +
      "100,000, or one to 1,000,000. The last row is one message in a fresh process. The plain row looks up all " +
      "connections and then posts to one after the other.",
    packages: [],
    columns: ["peak MB", ...SIZES.map((size) => size.toLocaleString("en-US")), "× from least to most"],
    rows: ROWS.map((row) => ({
      control: row.way === "plain",
      cells: [row.label, ...SIZES.map((size) => peak(row, size) / 1e6), peak(row, large) / peak(row, small)],
    })),
    invariants: [
      {
        what: "peak memory for 1,000,000 connections to that for 10,000",
        got: peak(JUDGED, large) / peak(JUDGED, small),
        wants: { most: 1.2 },
      },
    ],
    chart: {
      title: "Peak MB",
      bars: cells.map(({ row, size }) => ({
        label: `${row.label.split(":")[0]}: ${size.toLocaleString("en-US")}`,
        value: peak(row, size) / 1e6,
        control: row.way === "plain",
      })),
    },
  };
}
