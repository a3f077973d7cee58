import { readFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { table } from "../cli/table.ts";
import type { Chart } from "./plot.ts";

export type Cell = string | number;

/** A number a benchmark promises, and whether this run kept it. */
export interface Invariant {
  readonly what: string;
  readonly got: number;
  readonly wants: { readonly least: number } | { readonly most: number };
}

/** What one benchmark found. */
export interface BenchReport {
  readonly name: string;
  readonly title: string;
  /** How it was measured: what runs where, what is counted, what the control rows are. */
  readonly method: string;
  /** What follows `npm run bench -- `. @default the name */
  readonly command?: string;
  /** Packages whose versions matter. */
  readonly packages: readonly string[];
  /** Versions of what is no package of ours, in words. @default none */
  readonly versions?: readonly string[];
  /** What this run could not measure, or what a reader must know of it. @default none */
  readonly notes?: readonly string[];
  readonly columns: readonly string[];
  /** Control rows have none of our code. */
  readonly rows: readonly { readonly control?: boolean; readonly cells: readonly Cell[] }[];
  readonly invariants: readonly Invariant[];
  /** It has not all of its rows or a fraction of its work, and is shown but not published. @default false */
  readonly isPartial?: boolean;
  readonly chart: Chart;
}

export const kept = ({ got, wants }: Invariant): boolean =>
  "least" in wants ? got >= wants.least : got <= wants.most;

/** Where a benchmark ran: its numbers compare with no others. */
export function circumstances({
  packages,
  versions: others = [],
}: Pick<BenchReport, "packages" | "versions">): string {
  const versions = packages.map((name) => {
    const text = readFileSync(`node_modules/${name}/package.json`, "utf8");
    const { version } = JSON.parse(text) as { version: string };
    return `${name} ${version}`;
  });
  const [cpu] = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  const machine = `${cpus().length} × ${cpu?.model.trim() ?? "unknown CPU"}, ${memory}`;
  return [`Node ${process.versions.node}`, machine, process.platform, ...versions, ...others].join(" · ");
}

const digits = (value: number): number => (Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2);

/** Thousands apart, three digits that matter. */
export const shown = (cell: Cell): string =>
  typeof cell === "string"
    ? cell
    : cell.toLocaleString("en-US", { maximumFractionDigits: Number.isInteger(cell) ? 0 : digits(cell) });

const verdictLine = (invariant: Invariant): string => {
  const wants =
    "least" in invariant.wants ? `at least ${invariant.wants.least}` : `at most ${invariant.wants.most}`;
  return `${kept(invariant) ? "kept" : "MISSED"}: ${invariant.what} is ${shown(invariant.got)}, to be ${wants}`;
};

/** The report as a page of a terminal. */
export function asText(report: BenchReport): string {
  const rows = report.rows.map(({ control, cells }) => [
    ...cells.map(shown),
    ...(control ? ["(control)"] : [""]),
  ]);
  return [
    `${report.name}: ${report.title}`,
    "",
    table([[...report.columns, ""], ...rows]),
    ...report.invariants.map(verdictLine),
    ...(report.notes ?? []),
    "",
    report.method,
    circumstances(report),
  ].join("\n");
}

/** The report as a section of a Markdown page. */
export function asMarkdown(report: BenchReport): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [
    `## ${report.title}`,
    "",
    `\`npm run bench -- ${report.command ?? report.name}\``,
    "",
    report.method,
    "",
    line(report.columns),
    line(report.columns.map((_, i) => (i === 0 ? "---" : "---:"))),
    ...report.rows.map(({ control, cells }) =>
      line(cells.map((cell, i) => (i === 0 && control ? `*${shown(cell)}*` : shown(cell)))),
    ),
    "",
    `![${report.chart.title}](plots/${report.name}.svg)`,
    "",
    ...report.invariants.map((invariant) => `- ${verdictLine(invariant)}`),
    ...(report.notes ?? []).map((note) => `- ${note}`),
    "",
    `${circumstances(report)}, ${new Date().toISOString().slice(0, 10)}.`,
  ].join("\n");
}
