import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { coldStart } from "./cold-start.ts";
import { consume } from "./consume.ts";
import { cost } from "./cost.ts";
import { endToEnd } from "./end-to-end.ts";
import { ingest } from "./ingest.ts";
import { memory } from "./memory.ts";
import type { PeersArguments } from "./peers/options.ts";
import { PEERS_ARGUMENTS, peers } from "./peers.ts";
import { svg } from "./plot.ts";
import { post } from "./post.ts";
import { asMarkdown, asText, type BenchReport, circumstances, kept } from "./report.ts";
import { store } from "./store.ts";
import { streams } from "./streams.ts";

type Bench = (args: PeersArguments) => Promise<readonly BenchReport[]>;

const one =
  (bench: () => Promise<BenchReport>): Bench =>
  async () => [await bench()];

const BENCHES: Readonly<Record<string, Bench>> = {
  post: one(post),
  ingest: one(ingest),
  consume: one(consume),
  "cold-start": one(coldStart),
  memory: one(memory),
  "end-to-end": one(endToEnd),
  cost: one(cost),
  streams: one(streams),
  store: one(store),
  peers,
};

const PAGE = "bench/README.md";
const PLOTS = "bench/plots";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "boolean", default: false }, ...PEERS_ARGUMENTS },
});
const names = positionals.length === 1 && positionals[0] === "all" ? Object.keys(BENCHES) : positionals;
const unknown = names.filter((name) => !(name in BENCHES));
if (names.length === 0 || unknown.length > 0) {
  console.error(
    `usage: npm run bench -- NAME [--json], with NAME one of ${Object.keys(BENCHES).join(", ")}, all`,
  );
  process.exit(2);
}

for (const name of names) {
  for (const report of (await BENCHES[name]?.(values)) ?? []) {
    if (values.json) {
      const invariants = report.invariants.map((invariant) => ({ ...invariant, kept: kept(invariant) }));
      console.log(JSON.stringify({ ...report, invariants, circumstances: circumstances(report) }));
    } else {
      if (!report.isPartial) publish(report);
      console.log(`${asText(report)}\n`);
    }
    if (!report.invariants.every(kept)) process.exitCode = 1;
  }
}

/** Puts the report where the last one of its name stood on the page, and draws its plot. */
function publish(report: BenchReport): void {
  mkdirSync(PLOTS, { recursive: true });
  writeFileSync(`${PLOTS}/${report.name}.svg`, svg(report.chart));
  const [open, close] = [`<!-- ${report.name} -->`, `<!-- /${report.name} -->`];
  const page = readFileSync(PAGE, "utf8");
  const [start, end] = [page.indexOf(open), page.indexOf(close)];
  if (start < 0 || end < start) throw new Error(`bench/README.md has no place for ${report.name}`);
  writeFileSync(PAGE, `${page.slice(0, start + open.length)}\n${asMarkdown(report)}\n${page.slice(end)}`);
}
