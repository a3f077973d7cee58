import { writeFileSync } from "node:fs";
import { type PeersArguments, type PeersOptions, peersOptions } from "./peers/options.ts";
import { latencyReport } from "./peers/report/latency.ts";
import { memoryReport } from "./peers/report/memory.ts";
import { slowReport } from "./peers/report/slow.ts";
import { throughputReport } from "./peers/report/throughput.ts";
import { runPeers } from "./peers/run.ts";
import { type BenchReport, circumstances } from "./report.ts";

/** What the bench `peers` takes on the command line. */
export const PEERS_ARGUMENTS = {
  only: { type: "string" },
  load: { type: "string" },
  part: { type: "string" },
  rounds: { type: "string" },
  seconds: { type: "string" },
  scale: { type: "string" },
  data: { type: "string" },
  output: { type: "string" },
} as const;

/** Tagwire on one machine beside other servers that push to browsers: one report for each part. */
export async function peers(args: PeersArguments): Promise<readonly BenchReport[]> {
  const options = understood(args);
  const results = await runPeers(options, (line) => console.error(line));
  const reports = {
    throughput: () => throughputReport(results, options.loads),
    latency: () => latencyReport(results),
    memory: () => memoryReport(results),
    slow: () => slowReport(results, options.seconds),
  };
  const all = options.parts.map(
    (part): BenchReport => ({
      ...reports[part](),
      packages: [],
      versions: [...new Set(results.rows.map(({ version }) => version))],
      isPartial: options.isPartial,
    }),
  );
  if (args.output !== undefined) {
    const where = all[0] ? circumstances(all[0]) : "";
    writeFileSync(
      args.output,
      `${JSON.stringify({ at: new Date().toISOString(), where, ...results }, null, 2)}\n`,
    );
  }
  return all;
}

function understood(args: PeersArguments): PeersOptions {
  try {
    return peersOptions(args);
  } catch (fault) {
    console.error(fault instanceof Error ? fault.message : fault);
    process.exit(2);
  }
}
