import { type Options, type SimulationReport, simulate } from "./simulate.ts";
import { dice } from "./world/dice.ts";
import { type FaultRates, faultRates } from "./world/faults.ts";

/** A smaller simulation that breaks the same rule, and what happened in it. */
export interface Shrunk {
  readonly options: Options;
  readonly report: SimulationReport;
}

/** Seeds that each smaller simulation is tried with: what it leaves out changes all throws of the dice. */
const SEEDS = 15;

/**
 * Looks for the smallest simulation that breaks the same rule: fewer messages, then fewer connections, topics and kinds
 * of faults. Stops after `budget` milliseconds with the smallest so far.
 */
export async function shrink(failed: Options, report: SimulationReport, budget: number): Promise<Shrunk> {
  const end = performance.now() + budget;
  const rule = report.violation?.rule;
  const rates = faultRates(failed.faults, dice(`${failed.seed}/rates`));
  let best: Shrunk = { options: { ...failed, faults: textOf(rates) }, report };

  const fails = async (change: Partial<Options>): Promise<boolean> => {
    for (let offset = 0; offset < SEEDS && performance.now() < end; offset++) {
      const options = { ...best.options, ...change, seed: failed.seed + offset, keepTrace: true };
      const tried = await simulate(options);
      if (tried.violation?.rule !== rule) continue;
      best = { options, report: tried };
      return true;
    }
    return false;
  };
  const least = async (name: "messages" | "connections" | "topics") => {
    for (const value of [1, 2, 3, 4, 6, 8, 12, 16, 24]) {
      if (value >= best.options[name] || (await fails({ [name]: value }))) return;
    }
  };

  /** Leaves out halves of the faults, then quarters, down to one at a time. */
  const fewerFaults = async () => {
    for (let size = Object.keys(rates).length >> 1; size >= 1; size >>= 1) {
      for (let at = 0; at < Object.keys(faultsLeft()).length; ) {
        const entries = Object.entries(faultsLeft());
        const rest = Object.fromEntries(entries.toSpliced(at, size));
        if (!(await fails({ faults: textOf(rest) }))) at += size;
      }
    }
  };
  const faultsLeft = () => faultRates(best.options.faults, dice(""));

  await least("messages");
  await least("connections");
  await least("topics");
  await fewerFaults();
  await least("messages");
  await least("connections");
  if (best.report.trace.length === 0) {
    best = { ...best, report: await simulate({ ...best.options, keepTrace: true }) };
  }
  return best;
}

const textOf = (rates: FaultRates): string => {
  const parts = Object.entries(rates).map(([name, rate]) => `${name}=${Number(rate.toFixed(4))}`);
  return parts.length > 0 ? parts.join(",") : "none";
};

/** The lines of a trace that have to do with its violation: those that name its message or connection, at most `most`. */
export function excerpt(trace: readonly string[], most = 60): readonly string[] {
  const end = trace.findIndex((line) => line.includes(" VIOLATION "));
  const shown = end < 0 ? trace : trace.slice(0, end + 1);
  const words = [...(shown.at(-1) ?? "").matchAll(/\b(?:m\d+|probe-\d+|greeting-\d+|c\d+=|run-\d+)/g)].map(
    ([word]) => word,
  );
  const about = new RegExp(`(?:^|\\W)(?:${words.join("|")})(?:\\W|$)`);
  const chosen = words.length > 0 ? shown.filter((line) => about.test(line) || / dies /.test(line)) : shown;
  return chosen.slice(-most);
}
