import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import { delimiter, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { listen, shut } from "../../../local/listen.ts";

export interface Moto {
  readonly endpoint: string;
  /** From now on each call is held to its signature and to the policies of whoever signed it. */
  enforce(): Promise<void>;
  stop(): Promise<void>;
}

/** A moto server of our own on the loopback address. Throws if it is not installed, and says how to install it. */
export async function startMoto(): Promise<Moto> {
  const folders = [join(process.cwd(), ".venv", "bin"), ...(process.env["PATH"] ?? "").split(delimiter)];
  const command = folders.map((folder) => join(folder, "moto_server")).find((file) => existsSync(file));
  if (command === undefined) {
    throw new Error(
      "there is no moto_server. Install it with\n" +
        "  python3 -m venv .venv && .venv/bin/pip install --requirement test/e2e/requirements.txt",
    );
  }
  const port = await freePort();
  const child = spawn(command, ["--host", "127.0.0.1", "--port", String(port)], { stdio: "ignore" });
  const endpoint = `http://127.0.0.1:${port}`;
  const stop = async () => {
    const gone = child.exitCode === null ? once(child, "exit") : undefined;
    child.kill();
    await gone;
  };
  const until = performance.now() + 60_000;
  while (!(await fetch(`${endpoint}/moto-api/data.json`).catch(() => undefined))?.ok) {
    if (child.exitCode !== null || performance.now() > until) {
      await stop();
      throw new Error("moto_server did not start");
    }
    await pause(100);
  }
  return {
    endpoint,
    stop,
    async enforce() {
      // The number of calls that are still not checked (moto docs, "IAM-like Access Control").
      await fetch(`${endpoint}/moto-api/reset-auth`, { method: "POST", body: "0" });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await shut(server);
  return port;
}
