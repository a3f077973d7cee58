import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { listen, shut } from "../../../local/listen.ts";
import { KEPT } from "./side.ts";

export interface Server {
  readonly port: number;
  /** Calls a method of the HTTP API. Throws with what it answered if it refused. */
  call(method: string, params: object): Promise<unknown>;
  /** Ends it and starts another at the same port. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** A Centrifugo of our own with the memory engine. Throws if there is none, and says how to install it. */
export async function startServer(): Promise<Server> {
  const command = find();
  const folder = mkdtempSync(join(tmpdir(), "centrifugo-"));
  const config = join(folder, "config.json");
  writeFileSync(config, JSON.stringify(CONFIG));
  const port = await freePort();
  const run = async () => {
    const child = spawn(command, ["--config", config, "--http_server.port", String(port)], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    child.stderr.on("data", (text) => {
      said += text;
    });
    const until = performance.now() + 120_000;
    while (!(await fetch(`http://127.0.0.1:${port}/health`).catch(() => undefined))?.ok) {
      if (child.exitCode !== null || performance.now() > until) {
        child.kill("SIGKILL");
        throw new Error(`centrifugo did not start: ${said}`);
      }
      await pause(50);
    }
    return child;
  };
  let child = await run();
  const end = async () => {
    const gone = child.exitCode === null ? once(child, "exit") : undefined;
    child.kill("SIGKILL");
    await gone;
  };
  return {
    port,
    async call(method, params) {
      const response = await fetch(`http://127.0.0.1:${port}/api/${method}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(params),
      });
      const answer = (await response.json()) as { result?: unknown; error?: unknown };
      if (answer.error) throw new Error(`centrifugo refused ${method}: ${JSON.stringify(answer.error)}`);
      return answer.result;
    },
    async restart() {
      await end();
      child = await run();
    },
    async stop() {
      await end();
      rmSync(folder, { recursive: true });
    },
  };
}

const CONFIG = {
  engine: { type: "memory" },
  health: { enabled: true },
  http_api: { insecure: true },
  client: { insecure: true, allowed_origins: ["*"] },
  http_server: { address: "127.0.0.1" },
  log: { level: "error" },
  channel: {
    namespaces: Object.entries(KEPT).map(([name, { seconds, count }]) => ({
      name,
      history_size: count,
      history_ttl: `${seconds}s`,
      force_recovery: true,
    })),
  },
};

function find(): string {
  const named = process.env["CENTRIFUGO"];
  if (named) return named;
  const command = (process.env["PATH"] ?? "")
    .split(delimiter)
    .map((folder) => join(folder, "centrifugo"))
    .find((file) => existsSync(file));
  if (command) return command;
  throw new Error(
    "there is no centrifugo. Install it with\n" +
      "  go install github.com/centrifugal/centrifugo/v6@v6.9.1\n" +
      "and name it with CENTRIFUGO, or have it on the PATH",
  );
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await shut(server);
  return port;
}
