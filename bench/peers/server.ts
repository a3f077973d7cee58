import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Address } from "./dialect.ts";
import { type Usage, usageOf } from "./proc.ts";
import type { Variant } from "./variants.ts";

export interface RunningServer {
  readonly address: Address;
  readonly pid: number;
  /** What the server and its children have used since they started. */
  usage(): Usage;
  stop(): Promise<void>;
}

/** Milliseconds to listen, and to end after SIGTERM. */
const PATIENCE = 30_000;
const GRACE = 15_000;

const running = new Set<ChildProcess>();

/** However this process ends, what it started ends too. */
export function endWithUs(): void {
  process.once("exit", () => {
    for (const child of running) child.kill("SIGKILL");
  });
  for (const [signal, status] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const) {
    process.once(signal, () => process.exit(status));
  }
}

/** Starts a server in a process of its own, its data in a new folder in `data`. Resolves once it listens. */
export async function startServer(variant: Variant, data: string): Promise<RunningServer> {
  mkdirSync(data, { recursive: true });
  const folder = mkdtempSync(join(data, `${variant.name}-`));
  const [port, tcpPort] = await Promise.all([freePort(), freePort()]);
  const { file, args, env } = variant.command({ port, tcpPort, folder });
  // What it prints goes nowhere; its standard input closes with this process.
  const child = spawn(file, args, { stdio: ["pipe", "ignore", "pipe"], env: { ...process.env, ...env } });
  running.add(child);
  const ended = once(child, "exit").catch((fault) => {
    said = String(fault);
  });
  void ended.then(() => running.delete(child));
  let said = "";
  child.stderr?.on("data", (chunk) => {
    said = (said + chunk).slice(-2_000);
  });
  const end = performance.now() + PATIENCE;
  while (!(await listens(port))) {
    if (!running.has(child)) throw new Error(`${variant.label} ended at its start: ${said}`);
    if (performance.now() > end)
      throw new Error(`${variant.label} does not listen after ${PATIENCE / 1000} s: ${said}`);
    await pause(25);
  }
  const pid = child.pid ?? 0;
  return {
    address: { port, tcpPort },
    pid,
    usage: () => usageOf(pid),
    async stop() {
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), GRACE);
      await ended;
      clearTimeout(timer);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("a server has no port");
  return address.port;
}

function listens(port: number): Promise<boolean> {
  const socket = connect({ port, host: "127.0.0.1" });
  return new Promise((resolve) => {
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
  }).then((connected) => {
    socket.destroy();
    return connected as boolean;
  });
}
