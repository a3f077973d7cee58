import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { listen, shut } from "../../../local/listen.ts";
import { startFront } from "./front.ts";

export interface Emulator {
  readonly endpoint: string;
  /** Whether posts can be made to fail (FAULTS in front.ts). */
  readonly faults: boolean;
  stop(): Promise<void>;
}

/** The emulator that AWS_ENDPOINT_URL names, or else a MiniStack of our own on a free port. */
export async function emulator(log: string): Promise<Emulator> {
  const given = process.env["AWS_ENDPOINT_URL"];
  if (given) return { endpoint: given, faults: false, stop: () => Promise.resolve() };
  return startMiniStack(findMiniStack(), log);
}

/** Throws where there is none, and says what to install. */
function findMiniStack(): string {
  const folders = [join(process.cwd(), ".venv", "bin"), ...(process.env["PATH"] ?? "").split(delimiter)];
  const found = folders.map((folder) => join(folder, "ministack")).find((file) => existsSync(file));
  if (found) return found;
  throw new Error(
    "there is no emulator to deploy to. Install MiniStack with\n" +
      "  python3 -m venv .venv && .venv/bin/pip install --requirement test/e2e/requirements.txt\n" +
      "or set AWS_ENDPOINT_URL to a LocalStack or MiniStack that is running",
  );
}

async function startMiniStack(command: string, log: string): Promise<Emulator> {
  const port = await freePort();
  const front = await startFront(port);
  const scratch = mkdtempSync(join(tmpdir(), "tagwire-e2e-"));
  mkdirSync(dirname(log), { recursive: true });
  const output = openSync(log, "w");
  const child = spawn(command, {
    stdio: ["ignore", output, output],
    env: {
      PATH: [dirname(process.execPath), process.env["PATH"]].join(delimiter),
      TMPDIR: scratch,
      BIND_HOST: "127.0.0.1",
      GATEWAY_PORT: String(port),
      // Enforces IAM: a grant that the stack lacks is a call that fails.
      AUTH: "true",
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      // The functions inherit both.
      AWS_ENDPOINT_URL: front.url,
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
      IOT_MTLS_ENABLED: "0",
    },
  });
  const stop = async () => {
    const gone = child.exitCode === null && child.signalCode === null ? once(child, "exit") : undefined;
    child.kill();
    await gone;
    await front.stop();
    rmSync(scratch, { recursive: true, force: true });
  };
  try {
    await ready(`http://127.0.0.1:${port}/_ministack/health`, child);
  } catch (cause) {
    await stop();
    throw new Error(`${command} did not start, see ${log}`, { cause });
  }
  return { endpoint: front.url, faults: true, stop };
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await shut(server);
  return port;
}

/** Resolves on the first answer; throws where the process ends first, or after 30 seconds. */
async function ready(url: string, child: ChildProcess): Promise<void> {
  const until = performance.now() + 30_000;
  while (child.exitCode === null && performance.now() < until) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok) return;
    await pause(50);
  }
  throw new Error(child.exitCode === null ? "no answer for 30 seconds" : `it exited with ${child.exitCode}`);
}
