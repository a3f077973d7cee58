import type { BenchReport } from "../../report.ts";
import type { PeersResults } from "../run.ts";
import { READERS, SLOW } from "../slow.ts";
import { cell, faultsOf, ifMeasured, isOurs } from "./common.ts";

/** Those that read may wait at most so many times as long. */
const MOST = 2;

export function slowReport(results: PeersResults, seconds: number): BenchReport {
  const { invariant, notes } = faultsOf(
    results,
    "slow",
    results.slow.map((each) => ({ ...each, at: "sockets that do not read" })),
  );
  const of = (name: string) => results.slow.find(({ variant }) => variant === name);
  const times = (name: string) => (of(name)?.p99During ?? Number.NaN) / (of(name)?.p99Before ?? Number.NaN);
  return {
    name: "peers-slow",
    command: "peers --part slow",
    title: "Sockets that do not read, beside other servers",
    method:
      `${(READERS + SLOW).toLocaleString("en-US")} sockets get 10 messages a second of 500 bytes, and ${SLOW} of them 20 a second of 16 KiB besides, since a system ` +
      `buffers megabytes for a socket before a server can notice anything. First all read; then those ${SLOW} stop reading, for ${seconds} seconds of the same load. ` +
      "Milliseconds from POST to frame of the others, who must get every message; how many of the slow ones the server has closed; and its resident set before they stopped, and at most.",
    packages: [],
    columns: [
      "the others",
      "p99 ms, all read",
      "p99 ms, some do not",
      "×",
      "slow ones closed",
      "MB before",
      "MB at most",
    ],
    rows: results.rows.map(({ name, label }) => ({
      control: !isOurs(name),
      cells: [
        label,
        cell(of(name)?.p99Before),
        cell(of(name)?.p99During),
        cell(times(name)),
        cell(of(name)?.fault === undefined ? of(name)?.cut : undefined),
        cell((of(name)?.residentBytesBefore ?? Number.NaN) / 1e6),
        cell((of(name)?.peakBytesDuring ?? Number.NaN) / 1e6),
      ],
    })),
    invariants: [
      invariant,
      ...results.rows
        .filter(({ name }) => isOurs(name))
        .flatMap(({ name }) =>
          ifMeasured(`${name}'s p99 to that while all read`, times(name), { most: MOST }),
        ),
    ],
    notes,
    chart: {
      title: "p99 of those that read, some do not, milliseconds",
      bars: results.rows.flatMap(({ name, label }) => {
        const value = of(name)?.p99During ?? Number.NaN;
        return Number.isNaN(value) ? [] : [{ label, value, control: !isOurs(name) }];
      }),
    },
  };
}
