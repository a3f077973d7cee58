import type { BenchReport, Invariant } from "../../report.ts";
import { RATES } from "../latency.ts";
import type { PeersResults } from "../run.ts";
import { cell, faultsOf, ifMeasured, isOurs } from "./common.ts";

/** How many times Centrifugo's p99 Tagwire may have in memory; on the disk two bare commits more. */
const MOST: readonly { readonly rate: string; readonly times: number }[] = [
  { rate: "1x1", times: 3 },
  { rate: "1x100", times: 1.3 },
];

export function latencyReport(results: PeersResults): BenchReport {
  const of = (name: string, rate: string) =>
    results.latency.find((each) => each.variant === name && each.rate === rate);
  const p99 = (name: string, rate: string) => of(name, rate)?.p99 ?? Number.NaN;
  const commit = results.commit?.p99 ?? Number.NaN;
  const { invariant, notes } = faultsOf(
    results,
    "latency",
    results.latency.map((each) => ({ ...each, at: each.rate })),
  );
  return {
    name: "peers-latency",
    command: "peers --part latency",
    title: "From POST to frame beside other servers",
    method:
      "The same processes at fixed rates that none of them is near its limit at, warmed up by 15,000 and 2,000 messages: milliseconds from the moment " +
      "a message is posted to each of its frames, over all frames of 4,000 messages (1 → 1) and of 400 (1 → 100). Messages are posted by the clock, " +
      "whatever became of those before. The bare commit appends 4 KiB to a file on the same disk and calls fdatasync, 500 times a second, with no server running.",
    packages: [],
    columns: ["milliseconds", ...RATES.flatMap(({ label }) => [`${label}, p50`, `${label}, p99`])],
    rows: [
      ...results.rows.map(({ name, label }) => ({
        control: !isOurs(name),
        cells: [
          label,
          ...RATES.flatMap((rate) => [cell(of(name, rate.name)?.p50), cell(of(name, rate.name)?.p99)]),
        ],
      })),
      ...(results.commit
        ? [
            {
              control: true,
              cells: ["a bare commit, 500/s", cell(results.commit.p50), cell(results.commit.p99), "", ""],
            },
          ]
        : []),
    ],
    invariants: [
      invariant,
      ...MOST.flatMap(({ rate, times }): Invariant[] => {
        const allowed = times * p99("centrifugo", rate);
        return [
          ...ifMeasured(
            `tagwire-memory's p99 to Centrifugo's, ${rate}`,
            p99("tagwire-memory", rate) / p99("centrifugo", rate),
            {
              most: times,
            },
          ),
          ...ifMeasured(
            `milliseconds of tagwire's p99 above ${times} × Centrifugo's, ${rate}, in p99s of a bare commit`,
            Math.max(0, p99("tagwire", rate) - allowed) / commit,
            { most: 2 },
          ),
        ];
      }),
    ],
    notes,
    chart: {
      title: "p99 from POST to frame, milliseconds",
      logarithmic: true,
      bars: RATES.flatMap((rate) =>
        results.rows.flatMap(({ name, label }) => {
          const value = p99(name, rate.name);
          return Number.isNaN(value)
            ? []
            : [{ label: `${label}: ${rate.name}`, value, control: !isOurs(name) }];
        }),
      ),
    },
  };
}
