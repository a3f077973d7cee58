import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { devToken } from "../../local/dev-token.ts";
import type { Router } from "../../local/options.ts";
import { start } from "../../local/start.ts";
import { DEV_SECRET } from "../../shared/settings/dev-secret.ts";

const SEED = 20_261_126;

/** Cases of each operation and phase. */
const EXAMPLES = 60;

const NOT_CHECKED = [
  // API Gateway's HTTP APIs answer 404 where a path has no route for a method, and so does a router on one machine.
  "unsupported_method",
  // DELETE cancels a message. Its receipt says so from then on, and is not deleted.
  "use_after_free",
];

test("schemathesis finds nothing in what the router answers to requests made of its document", async () => {
  // The longest that a queue keeps messages: the document has the largest `ttlSeconds` that any deployment takes.
  const kept = { seconds: 3_600, count: 100 };
  const router = await start({
    settings: { retentionDays: 13, streams: [{ topics: "*", ...kept }], userStreams: kept },
  });
  onTestFinished(async () => {
    await router.stop(0);
  });
  const report = await schemathesis(router);
  const { seed, test_cases: cases, failures, errors, warnings, complete } = report;
  console.log(`schemathesis: seed ${seed}, ${cases.generated} cases`);
  expect({ failures, errors, complete }).toEqual({ failures: [], errors: [], complete: true });
  expect(Object.entries(warnings).filter(([, found]) => found.length > 0)).toEqual([]);
  expect(cases.generated).toBeGreaterThan(500);
});

interface Report {
  readonly seed: number;
  readonly complete: boolean;
  readonly test_cases: { readonly generated: number };
  readonly failures: readonly unknown[];
  readonly errors: readonly unknown[];
  readonly warnings: Readonly<Record<string, readonly unknown[]>>;
}

async function schemathesis({ url }: Router): Promise<Report> {
  const command = join(process.cwd(), ".venv", "bin", "schemathesis");
  if (!existsSync(command)) {
    throw new Error(
      "there is no schemathesis. Install it with\n" +
        "  python3 -m venv .venv && .venv/bin/pip install --requirement test/schemathesis/requirements.txt",
    );
  }
  const folder = mkdtempSync(join(tmpdir(), "tagwire-schemathesis-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "report.json");
  const token = await devToken(DEV_SECRET, Date.now());
  const options: Readonly<Record<string, string>> = {
    url,
    header: `Authorization: Bearer ${token}`,
    checks: "all",
    "exclude-checks": NOT_CHECKED.join(","),
    seed: String(SEED),
    "max-examples": String(EXAMPLES),
    "generation-database": "none",
    report: "json",
    "report-json-path": file,
  };
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  const out = await run(command, ["--no-color", "run", `${url}/v1/openapi.json`, ...flags], folder);
  expect(existsSync(file), out).toBe(true);
  const report = JSON.parse(readFileSync(file, "utf8")) as Report;
  if (report.failures.length + report.errors.length > 0) console.log(out);
  return report;
}

/** What the command prints, however it ends. */
function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  const env = { ...process.env, SCHEMATHESIS_HOOKS: join(import.meta.dirname, "hooks.py") };
  return new Promise((resolve) => {
    execFile(command, [...args], { cwd, env, maxBuffer: 1e8 }, (_, stdout, stderr) =>
      resolve(stdout + stderr),
    );
  });
}
