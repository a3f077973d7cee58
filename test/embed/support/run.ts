import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** Runs a command. Throws with all that it printed if it fails. */
export async function run(command: string, args: readonly string[], cwd = process.cwd()) {
  try {
    return await promisify(execFile)(command, args, { cwd, maxBuffer: 2 ** 26 });
  } catch (cause) {
    const { stdout = "", stderr = "" } = cause as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(" ")} failed\n${stdout}\n${stderr}`, { cause });
  }
}

export const install = (cwd: string, ...packages: readonly string[]) =>
  run("npm", ["install", "--no-audit", "--no-fund", ...packages], cwd);
