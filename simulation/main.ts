import { parseArgs } from "node:util";
import { simulate } from "./simulate.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    seeds: { type: "string", default: "1" },
    messages: { type: "string", default: "12" },
    connections: { type: "string", default: "16" },
    topics: { type: "string", default: "3" },
    faults: { type: "string", default: "all" },
    trace: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});

const started = Date.now();
const tally: Record<string, number> = {};
const fails: Record<string, number[]> = {};
let steps = 0;
for (let seed = Number(values.seed); seed < Number(values.seed) + Number(values.seeds); seed++) {
  const report = await simulate({
    seed,
    messages: Number(values.messages),
    connections: Number(values.connections),
    topics: Number(values.topics),
    faults: values.faults,
    keepTrace: values.trace,
  });
  steps += report.steps;
  for (const [k, n] of Object.entries(report.endings)) tally[k] = (tally[k] ?? 0) + n;
  if (values.trace) console.log(report.trace.join("\n"));
  if (values.json) console.log(JSON.stringify({ ...report, trace: undefined }));
  if (report.violation) {
    if (values.seeds === "1") console.log(report.violation);
    const list = (fails[report.violation.rule] ??= []);
    if (list.length === 0) console.log(seed, report.violation);
    list.push(seed);
  }
}
console.log({
  ms: Date.now() - started,
  steps,
  tally,
  fails: Object.fromEntries(Object.entries(fails).map(([k, v]) => [k, `${v.length}: ${v.slice(0, 5)}`])),
});
