import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { type BuildOptions, build, type Metafile } from "esbuild";
import { BUNDLING } from "../infra/bundle.ts";
import { DEFAULTS } from "../shared/settings/settings.ts";
import { ENV, FUNCTIONS, type FunctionName } from "../shared/settings/variables.ts";
import { median } from "./measure.ts";
import type { BenchReport } from "./report.ts";

const run = promisify(execFile);
const ROUNDS = 15;

const TABLES = ["GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "BatchGetItem", "BatchWriteItem"];
const QUEUES = ["SendMessage", "SendMessageBatch", "ChangeMessageVisibility", "GetQueueAttributes"];

/** The clients and commands that a function has at its start. */
const CLIENTS: Readonly<Record<FunctionName, string>> = {
  ingest: clientOf("sqs", "SQS", QUEUES),
  receipts: clientOf("dynamodb", "DynamoDB", ["GetItem", "PutItem", "UpdateItem"]),
  connections: clientOf("dynamodb", "DynamoDB", TABLES),
  socket: clientOf("dynamodb", "DynamoDB", TABLES),
  consume: clientOf("dynamodb", "DynamoDB", TABLES) + clientOf("sqs", "SQS", QUEUES),
};

/** The source of a module that makes a client and brings commands, and no others. */
function clientOf(service: string, name: string, operations: readonly string[]): string {
  const commands = operations.map((operation) => `${operation}Command`).join(", ");
  return `
    import { ${name}Client } from "@aws-sdk/client-${service}";
    export { ${commands} } from "@aws-sdk/client-${service}";
    export const ${service} = new ${name}Client({});`;
}

interface Bundle {
  readonly name: FunctionName;
  readonly control: boolean;
  readonly file: string;
  /** Bytes that a start reads, and those that wait for their first use. */
  readonly bytes: { readonly start: number; readonly later: number };
}

interface Timing {
  readonly cpu: number;
  readonly wall: number;
  readonly settled: number;
}

/** Bundle bytes and import time of each function, beside its SDK clients alone. */
export async function coldStart(): Promise<BenchReport> {
  const folder = mkdtempSync(join(tmpdir(), "tagwire-bench-"));
  try {
    const bundles = (
      await Promise.all(
        FUNCTIONS.map((name) => Promise.all([clientsOf(name, folder), functionOf(name, folder)])),
      )
    ).flat();
    return report(bundles, await timings(bundles));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function report(bundles: readonly Bundle[], timed: ReadonlyMap<Bundle, readonly Timing[]>): BenchReport {
  const of = (bundle: Bundle, kind: keyof Timing) =>
    median((timed.get(bundle) ?? []).map((one) => one[kind]));
  const base = ({ name }: Bundle) => bundles.find((one) => one.control && one.name === name);
  const toBase = (bundle: Bundle, value: (one: Bundle) => number) => {
    const alone = base(bundle);
    return alone ? value(bundle) / value(alone) : Number.NaN;
  };
  const labelOf = ({ name, control }: Bundle) => `${name}: ${control ? "SDK clients alone" : "Tagwire"}`;
  const bytes = (bundle: Bundle) => bundle.bytes.start;
  const cpu = (bundle: Bundle) => of(bundle, "cpu");
  return {
    name: "cold-start",
    title: "Cold starts",
    method:
      "Bundles as the stack deploys them (esbuild, minified, in chunks); `at start` is what an import reads, `later` what " +
      `is loaded on first use. Each import runs in a Node process of its own, ${ROUNDS} times, rows in turn, medians. A function ` +
      "is imported with its handler made; its rival makes the SDK clients that the function has at its start, bundled the " +
      "same way, and nothing else. `and what it goes on to load` adds the CPU time of the next 0.15 s. Node's own start is not in any number.",
    packages: ["esbuild", "@aws-sdk/client-dynamodb", "@aws-sdk/client-sqs"],
    columns: [
      "import",
      "kB at start",
      "kB later",
      "CPU ms",
      "wall ms",
      "and what it goes on to load, CPU ms",
      "× bytes",
      "× CPU",
    ],
    rows: bundles.map((bundle) => ({
      control: bundle.control,
      cells: [
        labelOf(bundle),
        bundle.bytes.start / 1000,
        bundle.bytes.later / 1000,
        cpu(bundle),
        of(bundle, "wall"),
        of(bundle, "settled"),
        toBase(bundle, bytes),
        toBase(bundle, cpu),
      ],
    })),
    invariants: bundles
      .filter(({ control }) => !control)
      .flatMap((bundle) => [
        { what: `bytes at start of ${bundle.name}`, got: toBase(bundle, bytes), wants: { most: 1.7 } },
        { what: `import time of ${bundle.name}`, got: toBase(bundle, cpu), wants: { most: 1.45 } },
      ]),
    chart: {
      title: "CPU milliseconds of an import",
      bars: bundles.map((bundle) => ({
        label: labelOf(bundle),
        value: cpu(bundle),
        control: bundle.control,
      })),
    },
  };
}

const functionOf = (name: FunctionName, folder: string): Promise<Bundle> =>
  bundle(name, false, join(folder, name), {
    entryPoints: { index: `functions/lambda/${name}.ts` },
  });

const clientsOf = (name: FunctionName, folder: string): Promise<Bundle> =>
  bundle(name, true, join(folder, `${name}-clients`), {
    stdin: {
      contents: CLIENTS[name],
      resolveDir: resolve("."),
      sourcefile: "index.ts",
    },
    entryNames: "index",
  });

async function bundle(
  name: FunctionName,
  control: boolean,
  outdir: string,
  input: BuildOptions,
): Promise<Bundle> {
  const { metafile } = await build({
    ...BUNDLING,
    ...input,
    outdir,
    metafile: true,
  });
  const file = join(outdir, "index.mjs");
  return { name, control, file, bytes: bytesOf(metafile, file) };
}

function bytesOf({ outputs }: Metafile, file: string): Bundle["bytes"] {
  const byPath = new Map(Object.entries(outputs).map(([path, output]) => [resolve(path), output]));
  const read = new Set<string>();
  const visit = (path: string) => {
    if (read.has(path)) return;
    read.add(path);
    for (const { path: next, kind, external } of byPath.get(path)?.imports ?? []) {
      if (kind === "import-statement" && !external) visit(resolve(next));
    }
  };
  visit(file);
  const code = [...byPath].filter(([path]) => path.endsWith(".mjs"));
  const sum = (entries: typeof code) => entries.reduce((total, [, { bytes }]) => total + bytes, 0);
  return {
    start: sum(code.filter(([path]) => read.has(path))),
    later: sum(code.filter(([path]) => !read.has(path))),
  };
}

async function timings(bundles: readonly Bundle[]): Promise<Map<Bundle, Timing[]>> {
  const timed = new Map(bundles.map((one): [Bundle, Timing[]] => [one, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const one of bundles) {
      const args = [resolve("bench/start.mjs"), pathToFileURL(one.file).href];
      const { stdout } = await run(process.execPath, args, { env: variables(one.name) });
      timed.get(one)?.push(JSON.parse(stdout));
    }
  }
  return timed;
}

const variables = (name: FunctionName): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(ENV[name].map((key) => [key, "https://example.com"])),
  TOKENS: '{"secretId":"none"}',
  ROUTER: "router",
  SETTINGS: JSON.stringify(DEFAULTS),
  AWS_REGION: "us-east-1",
  AWS_ACCESS_KEY_ID: "none",
  AWS_SECRET_ACCESS_KEY: "none",
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
});
