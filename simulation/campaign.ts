import { type Options, type SimulationReport, simulate } from "./simulate.ts";

/** Which seeds to run: from one on, until `seeds` are done or `budget` milliseconds have passed. */
export interface Campaign extends Options {
  readonly seeds: number;
  readonly budget?: number;
  /** Ends with the first violation. */
  readonly stopAtFirst?: boolean;
  readonly onReport?: (report: SimulationReport) => void;
}

/** What many seeds did together: the counts of a report, added up. */
export interface Summary
  extends Omit<SimulationReport, "seed" | "violation" | "seconds" | "digest" | "trace"> {
  readonly seeds: number;
  readonly violations: readonly (Pick<SimulationReport, "seed"> &
    NonNullable<SimulationReport["violation"]>)[];
  readonly simulatedSeconds: number;
}

export async function campaign({
  seeds,
  budget,
  stopAtFirst,
  onReport,
  ...options
}: Campaign): Promise<Summary> {
  const started = performance.now();
  const reports: Omit<SimulationReport, "trace">[] = [];
  for (let seed = options.seed; seed < options.seed + seeds; seed++) {
    if (budget !== undefined && performance.now() - started > budget) break;
    const { trace, ...report } = await simulate({ ...options, seed });
    reports.push(report);
    onReport?.({ ...report, trace });
    if (stopAtFirst && report.violation) break;
  }
  return summary(reports);
}

function summary(reports: readonly Omit<SimulationReport, "trace">[]): Summary {
  const sum = (pick: (report: Omit<SimulationReport, "trace">) => number) =>
    reports.reduce((total, report) => total + pick(report), 0);
  const most = (pick: (peak: SimulationReport["peak"]) => number) =>
    Math.max(0, ...reports.map(({ peak }) => pick(peak)));
  return {
    seeds: reports.length,
    violations: reports.flatMap(({ seed, violation }) => (violation ? [{ seed, ...violation }] : [])),
    endings: added(reports.map(({ endings }) => endings)),
    faults: added(reports.map(({ faults }) => faults)),
    frames: sum(({ frames }) => frames),
    repeats: sum(({ repeats }) => repeats),
    misdirected: sum(({ misdirected }) => misdirected),
    deadLetters: sum(({ deadLetters }) => deadLetters),
    timeouts: sum(({ timeouts }) => timeouts),
    peak: {
      runs: most(({ runs }) => runs),
      sends: most(({ sends }) => sends),
      sendsInRun: most(({ sendsInRun }) => sendsInRun),
    },
    steps: sum(({ steps }) => steps),
    simulatedSeconds: sum(({ seconds }) => seconds),
  };
}

function added(counts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const total: Record<string, number> = {};
  for (const [name, count] of counts.flatMap(Object.entries<number>))
    total[name] = (total[name] ?? 0) + count;
  return total;
}
