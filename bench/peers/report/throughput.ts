import { median } from "../../measure.ts";
import type { BenchReport, Invariant } from "../../report.ts";
import { type Load, labelOf, nameOf } from "../options.ts";
import type { PeersResults } from "../run.ts";
import type { ThroughputResult } from "../throughput.ts";
import { BASE, cell, faultsOf, ifMeasured, isOurs, ratioTo, withRatio } from "./common.ts";

/** Ratios to Socket.IO that Tagwire is to reach: with its data on the disk, and in memory. */
const LEAST: readonly { readonly variant: string; readonly load: string; readonly least: number }[] = [
  { variant: "tagwire", load: "1x1@20", least: 0.35 },
  { variant: "tagwire", load: "1x100@20", least: 2.2 },
  { variant: "tagwire", load: "1x1@1", least: 0.17 },
  { variant: "tagwire", load: "1x100@1", least: 0.7 },
  { variant: "tagwire", load: "1x1000@1", least: 1.1 },
  { variant: "tagwire-memory", load: "1x1@20", least: 0.5 },
];

/** Milliseconds that Tagwire may add to a flush at one in flight, 1 → 1. */
const OVER_FLUSH = 1;

export function throughputReport(results: PeersResults, loads: readonly Load[]): BenchReport {
  const of = (load: string, value: "framesPerCpuSecond" | "p50") =>
    results.throughput
      .filter((each) => each.load === load)
      .map(({ variant, round, [value]: number }) => ({ variant, round, value: number }));
  const middle = (load: string, name: string, value: "framesPerCpuSecond" | "p50") =>
    median(
      of(load, value).flatMap((each) =>
        each.variant === name && !Number.isNaN(each.value) ? [each.value] : [],
      ),
    );
  const ratio = (load: string, name: string) => ratioTo(of(load, "framesPerCpuSecond"), name, BASE);
  const alone = loads.find(({ sockets, inFlight }) => sockets === 1 && inFlight === 1);
  const { invariant, notes } = faultsOf(
    results,
    "throughput",
    results.throughput.map((each) => ({ ...each, at: each.load })),
  );
  return {
    name: "peers",
    command: "peers --part throughput",
    title: "Frames per CPU-second beside other servers",
    method:
      "Each server in a process of its own on a fresh folder, Tagwire started as docs/run does, subscribers and publisher in another, real sockets on the loopback address, " +
      "500 bytes of data. A message counts once it was accepted and every socket has got it, whole; a frame that is lost, " +
      "or at one in flight out of order, fails the row, and one that comes again counts for nothing. Warmed up by messages (15,000, 2,000 and 300 by the number of sockets), then " +
      "measured over a fixed number of them: frames divided by user and system time of the server with all of its threads and children, from " +
      "/proc. What a server prints goes to /dev/null. In brackets the ratio to Socket.IO in the same run.",
    packages: [],
    columns: [
      "frames per CPU-second (× Socket.IO)",
      ...loads.map(labelOf),
      ...(alone ? ["p50 ms, 1 → 1, 1 in flight"] : []),
    ],
    rows: results.rows.map(({ name, label }) => ({
      control: !isOurs(name),
      cells: [
        label,
        ...loads.map((load) =>
          withRatio(middle(nameOf(load), name, "framesPerCpuSecond"), ratio(nameOf(load), name)),
        ),
        ...(alone ? [cell(middle(nameOf(alone), name, "p50"))] : []),
      ],
    })),
    invariants: [
      invariant,
      ...LEAST.flatMap(({ variant, load, least }) =>
        ifMeasured(`${variant} to Socket.IO, ${load}`, ratio(load, variant), { least }),
      ),
      ...overFlush(results, middle("1x1@1", "tagwire", "p50")),
    ],
    notes: [
      ...notes,
      ...(results.commit
        ? [
            `a bare group commit (an append of 4 KiB and fdatasync): p50 ${results.commit.p50.toFixed(2)} ms, p99 ${results.commit.p99.toFixed(2)} ms`,
          ]
        : []),
      ...results.rows.flatMap(({ name, label }) =>
        cutShort(
          label,
          results.throughput.filter(({ variant }) => variant === name),
        ),
      ),
    ],
    chart: {
      title: "Frames per CPU-second",
      logarithmic: true,
      bars: loads.flatMap((load) =>
        results.rows.flatMap(({ name, label }) => {
          const value = middle(nameOf(load), name, "framesPerCpuSecond");
          return Number.isNaN(value)
            ? []
            : [{ label: `${label}: ${nameOf(load)}`, value, control: !isOurs(name) }];
        }),
      ),
    },
  };
}

const overFlush = ({ commit }: PeersResults, p50: number): Invariant[] =>
  commit === undefined
    ? []
    : ifMeasured("milliseconds of tagwire's p50 above a flush, 1x1@1", p50 - commit.p50, {
        most: OVER_FLUSH,
      });

/** A server too slow for the fixed numbers of messages was measured over fewer. */
function cutShort(label: string, all: readonly ThroughputResult[]): string[] {
  const short = all.filter(({ isCutShort }) => isCutShort);
  const each = short.map(({ load, warmUp, messages }) => `${load} after ${warmUp} over ${messages}`);
  return short.length === 0
    ? []
    : [`measured over fewer messages, since it takes too long: ${label}, ${each.join(", ")}`];
}
