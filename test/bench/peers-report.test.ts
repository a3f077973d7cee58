import { expect, test } from "vitest";
import { LOADS, nameOf } from "../../bench/peers/options.ts";
import { latencyReport } from "../../bench/peers/report/latency.ts";
import { memoryReport } from "../../bench/peers/report/memory.ts";
import { slowReport } from "../../bench/peers/report/slow.ts";
import { throughputReport } from "../../bench/peers/report/throughput.ts";
import type { PeersResults } from "../../bench/peers/run.ts";
import { asMarkdown, type BenchReport, kept } from "../../bench/report.ts";

const NOTHING: PeersResults = {
  rows: ["tagwire", "tagwire-memory", "socket.io", "centrifugo"].map((name) => ({
    name,
    label: name,
    version: "1",
  })),
  absent: [],
  throughput: [],
  latency: [],
  memory: [],
  slow: [],
  commit: { p50: 0.2, p99: 1, commits: 100 },
  faults: [],
};

const missed = ({ invariants }: BenchReport): string[] =>
  invariants.filter((invariant) => !kept(invariant)).map(({ what }) => what);

/** Frames per CPU-second of each server under each load, 100 for Socket.IO. */
const throughputOf = (
  durable: Readonly<Record<string, number>>,
  memory: number,
  p50: number,
): PeersResults => ({
  ...NOTHING,
  throughput: LOADS.map(nameOf).flatMap((load) =>
    [
      { variant: "socket.io", framesPerCpuSecond: 100 },
      { variant: "tagwire", framesPerCpuSecond: durable[load] ?? Number.NaN },
      { variant: "tagwire-memory", framesPerCpuSecond: memory },
    ].map((each) => ({
      ...each,
      load,
      round: 0,
      p50,
      p99: 2,
      messages: 10,
      warmUp: 10,
      isCutShort: each.variant === "tagwire" && load === "1x1@1",
      cpuSeconds: 1,
      repeats: 0,
    })),
  ),
});

const ENOUGH = { "1x1@1": 17, "1x1@20": 35, "1x100@1": 70, "1x100@20": 220, "1x1000@1": 110 };

test("Tagwire reaches its ratios to Socket.IO, and its p50 is a flush and a millisecond", () => {
  expect(missed(throughputReport(throughputOf(ENOUGH, 50, 1.2), LOADS))).toEqual([]);
});

test.each([
  ...Object.entries(ENOUGH).map(([load, least]) => ({
    results: throughputOf({ ...ENOUGH, [load]: least - 1 }, 50, 1),
    misses: `tagwire to Socket.IO, ${load}`,
  })),
  { results: throughputOf(ENOUGH, 49, 1), misses: "tagwire-memory to Socket.IO, 1x1@20" },
  { results: throughputOf(ENOUGH, 50, 1.3), misses: "milliseconds of tagwire's p50 above a flush, 1x1@1" },
])("it is seen that Tagwire misses $misses", ({ results, misses }) => {
  expect(missed(throughputReport(results, LOADS))).toEqual([misses]);
});

test("a table has numbers with their ratios, and says what was measured over fewer messages", () => {
  const page = asMarkdown(throughputReport(throughputOf(ENOUGH, 50, 1), LOADS));
  expect(page).toContain("| tagwire | 17 (0.17) | 35 (0.35) | 70 (0.70) | 220 (2.20) | 110 (1.10) | 1 |");
  expect(page).toContain("| *socket.io* | 100 (1.00) |");
  expect(page).toContain("| *centrifugo* | – | – | – | – | – | – |");
  expect(page).toContain("since it takes too long: tagwire, 1x1@1 after 10 over 10");
});

const latencyOf = (p99s: Readonly<Record<string, readonly [number, number]>>): PeersResults => ({
  ...NOTHING,
  latency: Object.entries(p99s).flatMap(([variant, [one, hundred]]) => [
    { variant, rate: "1x1", p50: 0.1, p99: one, messages: 10, repeats: 0 },
    { variant, rate: "1x100", p50: 0.1, p99: hundred, messages: 10, repeats: 0 },
  ]),
});

test.each([
  { memory: [6, 13], durable: [8, 15], misses: [] },
  { memory: [6.1, 13], durable: [8, 15], misses: ["tagwire-memory's p99 to Centrifugo's, 1x1"] },
  { memory: [6, 13.1], durable: [8, 15], misses: ["tagwire-memory's p99 to Centrifugo's, 1x100"] },
  {
    memory: [6, 13],
    durable: [8.1, 15.1],
    misses: [
      "milliseconds of tagwire's p99 above 3 × Centrifugo's, 1x1, in p99s of a bare commit",
      "milliseconds of tagwire's p99 above 1.3 × Centrifugo's, 1x100, in p99s of a bare commit",
    ],
  },
] as const)("p99s $memory in memory and $durable on the disk beside 2 and 10 miss $misses.length bounds", ({
  memory,
  durable,
  misses,
}) => {
  const results = latencyOf({ centrifugo: [2, 10], "tagwire-memory": memory, tagwire: durable });
  expect(missed(latencyReport(results))).toEqual(misses);
});

test("idle sockets are in KB each and MB in all, and a size that was not reached is a dash and a fault", () => {
  const report = memoryReport({
    ...NOTHING,
    memory: [
      { variant: "tagwire", sockets: 10_000, residentBytes: 200e6, bytesPerSocket: 12_000 },
      { variant: "tagwire", sockets: 19_800, residentBytes: 320e6, bytesPerSocket: 12_500 },
      {
        variant: "socket.io",
        sockets: 3_000,
        residentBytes: Number.NaN,
        bytesPerSocket: Number.NaN,
        fault: "closed",
      },
    ],
  });
  expect(asMarkdown(report)).toContain("| tagwire | 12 | 200 | 12.5 | 320 |");
  expect(asMarkdown(report)).toContain("| *socket.io* | – | – | – | – |");
  expect(asMarkdown(report)).toContain("the most sockets of this run were 19,800");
  expect(asMarkdown(report)).toContain("socket.io, 3000 sockets: closed");
  expect(missed(report)).toEqual(["cells with a lost or failed message"]);
});

test.each([
  { during: 10, misses: [] },
  { during: 10.1, misses: ["tagwire's p99 to that while all read"] },
])("p99 may double while some do not read: from 5 to $during", ({ during, misses }) => {
  const measured = { messages: 600, cut: 20, residentBytesBefore: 90e6, peakBytesDuring: 120e6, repeats: 0 };
  const slow = (variant: string, p99During: number) => ({ ...measured, variant, p99Before: 5, p99During });
  const report = slowReport({ ...NOTHING, slow: [slow("tagwire", during), slow("socket.io", 50)] }, 60);
  expect(missed(report)).toEqual(misses);
  expect(asMarkdown(report)).toContain(
    `| tagwire | 5 | ${during} | ${during === 10 ? "2" : "2.02"} | 20 | 90 | 120 |`,
  );
});
