import { messageOf } from "../shared/protocol/errors.ts";
import { type Arguments, argumentsFrom, HELP } from "./arguments.ts";
import { campaign, type Summary } from "./campaign.ts";
import { MUTANTS } from "./mutants.ts";
import { excerpt, shrink } from "./shrink.ts";
import type { Options, SimulationReport } from "./simulate.ts";
import type { Mutant } from "./world/mutant.ts";

/** Milliseconds spent on making a failure smaller. */
const SHRINKING = 30_000;

const say = (text: string) => process.stdout.write(`${text}\n`);

async function main(): Promise<number> {
  const asked = argumentsFrom(process.argv.slice(2));
  if (asked === "help") {
    say(HELP);
    return 0;
  }
  return asked.mutants ? plantAll(asked) : run(asked);
}

async function run(asked: Arguments): Promise<number> {
  const { json, trace, mutants, ...options } = asked;
  const started = performance.now();
  let failed: SimulationReport | undefined;
  const summary = await campaign({
    ...options,
    keepTrace: trace,
    stopAtFirst: true,
    onReport: (report) => {
      if (trace) say(report.trace.join("\n"));
      if (report.violation) failed = report;
    },
  });
  say(json ? JSON.stringify(summary) : textOf(summary, performance.now() - started));
  if (!failed) return 0;
  if (!json) await explain({ ...options, seed: failed.seed }, failed);
  return 1;
}

async function explain(options: Options, report: SimulationReport): Promise<void> {
  say(`\nseed ${report.seed}: ${report.violation?.rule}\n  ${report.violation?.detail}`);
  const { options: small, report: smallest } = await shrink(options, report, SHRINKING);
  say(`\nthe same rule breaks in this smaller case: ${smallest.violation?.detail}`);
  say(
    `  npm run simulate -- --seed ${small.seed} --messages ${small.messages} --connections ${small.connections}` +
      ` --topics ${small.topics} --faults ${small.faults}${sceneOf(small)}\n`,
  );
  say(excerpt(smallest.trace).join("\n"));
}

const sceneOf = ({ outage, poison, slow }: Options): string =>
  [
    outage ? ` --outage ${outage.kind}:${outage.seconds}${outage.atClaim ? "@claim" : ""}` : "",
    poison === undefined ? "" : ` --poison ${poison}`,
    slow === undefined ? "" : ` --slow ${slow}`,
  ].join("");

/** Every planted bug must be found; says by which seed and which rule. */
async function plantAll({ json, trace, mutants, mutant: _, ...options }: Arguments): Promise<number> {
  let survivors = 0;
  for (const [name, mutant] of Object.entries<Mutant>(MUTANTS)) {
    const { why } = mutant;
    const { violations } = await campaign({ ...options, mutant, stopAtFirst: true });
    const [found] = violations;
    if (!found) survivors++;
    say(
      json
        ? JSON.stringify({ mutant: name, why, ...found })
        : `${name.padEnd(24)} ${found ? `seed ${String(found.seed).padStart(3)}: ${found.rule}` : "SURVIVES"}`,
    );
  }
  return survivors > 0 ? 1 : 0;
}

function textOf(summary: Summary, milliseconds: number): string {
  const counts = (of: Readonly<Record<string, number>>) =>
    Object.entries(of)
      .sort(([, a], [, b]) => b - a)
      .map(([name, count]) => `${name} ${count}`)
      .join(", ");
  const { seeds, violations, steps, simulatedSeconds, endings, faults, peak } = summary;
  return [
    `${seeds} seeds, ${violations.length} violations, ${steps} steps, ${Math.round(simulatedSeconds / 3600)} simulated hours in ${(milliseconds / 1000).toFixed(1)} s`,
    `endings   ${counts(endings)}`,
    `frames    ${summary.frames}, of them ${summary.repeats} excused repeats; ${summary.misdirected} to a new socket with an old id`,
    `dead      ${summary.deadLetters} dead letters`,
    `peak      ${peak.runs} runs, ${peak.sends} sends, ${peak.sendsInRun} of one run; ${summary.timeouts} functions killed by their timeout`,
    `faults    ${counts(faults)}`,
  ].join("\n");
}

try {
  process.exitCode = await main();
} catch (fault) {
  process.stderr.write(`${messageOf(fault)}\n`);
  process.exitCode = 2;
}
