import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { afterAll, expect } from "vitest";
import { openStore } from "../../../local/engine/store/store.ts";

const built = `node_modules/.cache/tagwire/store-${process.pid}`;
const children = new Set<ChildProcess>();

/** Bundles the child and the store's thread, so that the many children start at once. */
export function build(...names: readonly string[]): void {
  mkdirSync(built, { recursive: true });
  buildSync({
    entryPoints: [
      ...names.map((name) => ({ in: `test/engine/store/${name}.ts`, out: name })),
      { in: "local/engine/store/worker.ts", out: "worker" },
    ],
    outdir: built,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    packages: "external",
    platform: "node",
    format: "esm",
  });
}

afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(built, { recursive: true, force: true });
});

/** Starts a bundled child. */
export function start(name: string, ...parameters: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [join(built, `${name}.mjs`), ...parameters], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  children.add(child);
  return child;
}

export async function kill(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await ended;
  children.delete(child);
}

/** Stops all threads of a process where they are. */
export async function freeze(child: ChildProcess): Promise<void> {
  child.kill("SIGSTOP");
  await expect
    .poll(() => execFileSync("ps", ["-o", "state=", "-p", String(child.pid)], { encoding: "utf8" }), {
      interval: 5,
    })
    .toMatch(/^T/);
}

/** The number of the last message that was said to be kept; -1 for none. */
export const lastKept = (acknowledgements: string): number =>
  existsSync(acknowledgements)
    ? Number(readFileSync(acknowledgements, "utf8").trim().split("\n").at(-1) || -1)
    : -1;

/** Fails unless the folder holds all of the messages to `atLeast`, in order, each as a whole. Returns how many it holds. */
export async function expectWhole(folder: string, atLeast: number): Promise<number> {
  const store = await openStore({ folder });
  try {
    const receipts = store.range("receipts", { from: "", to: "z", limit: 1e9 });
    expect(receipts.map(({ key }) => Number(key))).toEqual(receipts.map((_, at) => at));
    expect(receipts.length).toBeGreaterThan(atLeast);
    const ended = receipts.filter(({ value }) => value === "ended").length;
    expect(receipts.slice(0, ended).every(({ value }) => value === "ended")).toBe(true);
    const entries = store.range("entries", { from: 0, to: 1e12, limit: 1e9 });
    expect(entries.map(({ key }) => key)).toEqual(receipts.slice(ended).map(({ key }) => Number(key)));
    for (const { key, value } of entries) expect(JSON.parse(value)).toMatchObject({ number: key });
    return receipts.length;
  } finally {
    await store.close();
  }
}
