import { list } from "../table.ts";
import type { Bucket, Percentiles } from "./latency.ts";
import type { Tally } from "./ledger.ts";

/** What a run of `tagwire load` found. Times are milliseconds unless the name says otherwise. */
export interface LoadReport {
  readonly sockets: {
    readonly asked: number;
    readonly open: number;
    /** Cut while the run went on; their frames are not in `frames`. */
    readonly cut: number;
    /** Why some did not open, and how many. */
    readonly failed: Readonly<Record<string, number>>;
  };
  readonly topics: number;
  readonly messages: {
    readonly posted: number;
    readonly accepted: number;
    readonly refused: number;
    readonly unknown: number;
    /** Refusals by their code, and other answers. */
    readonly codes: Readonly<Record<string, number>>;
  };
  readonly rate: { readonly asked: number; readonly achieved: number };
  readonly seconds: number;
  readonly frames: Tally;
  readonly post?: Percentiles;
  readonly latency?: Percentiles;
  readonly histogram: readonly Bucket[];
  readonly interrupted: boolean;
}

/** The report for people to read. */
export function describe(report: LoadReport): string {
  const { sockets, topics, messages, rate, seconds, frames, post, latency, histogram } = report;
  const text = list([
    ["sockets", `${sockets.open} of ${sockets.asked} open, ${sockets.cut} cut; over ${topics} topics`],
    ...Object.entries(sockets.failed).map(([why, count]) => ["", `${count} not opened: ${why}`] as const),
    [
      "messages",
      `${messages.posted} posted in ${seconds.toFixed(1)} s, ${rate.achieved.toFixed(0)}/s of ${rate.asked}/s; ` +
        `${messages.accepted} accepted, ${messages.refused} refused, ${messages.unknown} unknown`,
    ],
    ...Object.entries(messages.codes).map(([code, count]) => ["", `${count} ${code}`] as const),
    [
      "frames",
      `${frames.received}, ${frames.expected} expected; ${frames.lost} lost, ${frames.repeated} repeated, ${frames.stray} for another topic`,
    ],
    ["POST to 202", percentileText(post)],
    ["POST to frame", percentileText(latency)],
  ]);
  return `${report.interrupted ? "interrupted; so far:\n" : ""}${text}${histogramText(histogram)}`;
}

const percentileText = (found: Percentiles | undefined): string =>
  found
    ? (["p50", "p90", "p99", "max"] as const).map((name) => `${name} ${found[name].toFixed(1)} ms`).join("  ")
    : "nothing came";

const WIDTH = 50;

function histogramText(buckets: readonly Bucket[]): string {
  const most = Math.max(1, ...buckets.map(({ count }) => count));
  return buckets
    .map(({ upTo, count }) => {
      const label = upTo === undefined ? "more" : `≤ ${upTo} ms`;
      // Something is never drawn as nothing.
      const length = count === 0 ? 0 : Math.max(1, Math.round((WIDTH * count) / most));
      return `${label.padStart(14)} ${"#".repeat(length).padEnd(WIDTH)} ${count}\n`;
    })
    .join("");
}
