import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { onTestFinished } from "vitest";

const PYTHON = join(process.cwd(), ".venv", "bin", "python");

/** Runs an example. Throws with what to install if there is no Python with its packages. */
function example(argv: readonly string[], env: Readonly<Record<string, string>>): ChildProcess {
  if (!existsSync(PYTHON)) {
    throw new Error(
      "there is no .venv. Make it with\n" +
        "  python3 -m venv .venv && .venv/bin/pip install --requirement examples/python/requirements.txt",
    );
  }
  const child = spawn(PYTHON, argv, { cwd: "examples/python", env: { ...process.env, ...env } });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  return child;
}

/** Runs an example to its end. */
export async function finished(argv: readonly string[], env: Readonly<Record<string, string>>) {
  const { stdout, stderr, ...child } = streamsOf(example(argv, env));
  const [[code], out, err] = await Promise.all([child.exit, text(stdout), text(stderr)]);
  return { code, out, err };
}

/** Starts an example that goes on, and reads what it prints line by line. */
export function running(argv: readonly string[], env: Readonly<Record<string, string>>) {
  const child = example(argv, env);
  const { stdout, stderr, exit } = streamsOf(child);
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  const errors = createInterface({ input: stderr })[Symbol.asyncIterator]();
  return {
    next: async (): Promise<Record<string, unknown>> => JSON.parse((await lines.next()).value),
    nextError: async (): Promise<string> => (await errors.next()).value,
    exit,
    async stop() {
      child.kill("SIGKILL");
      await exit;
    },
  };
}

function streamsOf(child: ChildProcess) {
  const { stdout, stderr } = child;
  if (!stdout || !stderr) throw new Error("the process has no output");
  return { stdout, stderr, exit: once(child, "close") as Promise<[number | null]> };
}
