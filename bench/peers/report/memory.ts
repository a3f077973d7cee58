import type { BenchReport } from "../../report.ts";
import { SIZES } from "../idle.ts";
import type { PeersResults } from "../run.ts";
import { cell, faultsOf, isOurs } from "./common.ts";

export function memoryReport(results: PeersResults): BenchReport {
  const { invariant, notes } = faultsOf(
    results,
    "memory",
    results.memory.map((each) => ({ ...each, at: `${each.sockets} sockets` })),
  );
  const of = (name: string, size: number) =>
    results.memory.filter((each) => each.variant === name)[(SIZES as readonly number[]).indexOf(size)];
  const most = Math.max(...results.memory.map(({ sockets }) => sockets), 0);
  return {
    name: "peers-memory",
    command: "peers --part memory",
    title: "Idle sockets beside other servers",
    method:
      "Real WebSockets, each subscribed to one of a hundred topics and silent, from four client processes and four addresses. What the resident set of " +
      "a fresh server grew by since its first 400 sockets, two seconds after the last handshake, divided by the sockets since then. Nobody collects " +
      `garbage by hand. A process may open only so many files: the most sockets of this run were ${most.toLocaleString("en-US")}.`,
    packages: [],
    columns: [
      "idle sockets",
      ...SIZES.flatMap((size) => [`KB per socket, ${size / 1_000},000`, `MB in all, ${size / 1_000},000`]),
    ],
    rows: results.rows.map(({ name, label }) => ({
      control: !isOurs(name),
      cells: [
        label,
        ...SIZES.flatMap((size) => [
          cell((of(name, size)?.bytesPerSocket ?? Number.NaN) / 1_000),
          cell((of(name, size)?.residentBytes ?? Number.NaN) / 1e6),
        ]),
      ],
    })),
    invariants: [invariant],
    notes,
    chart: {
      title: "KB per idle socket, of the most",
      bars: results.rows.flatMap(({ name, label }) => {
        const bytes = of(name, SIZES[1])?.bytesPerSocket ?? Number.NaN;
        return Number.isNaN(bytes) ? [] : [{ label, value: bytes / 1_000, control: !isOurs(name) }];
      }),
    },
  };
}
