import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { afterAll, beforeAll } from "vitest";

const built = `node_modules/.cache/tagwire/crash-${process.pid}`;
const children = new Set<ChildProcess>();

/** Bundles the router of these tests and that of `npm start`, so that they start at once. */
export const buildRouters = (): void => {
  beforeAll(() => {
    mkdirSync(built, { recursive: true });
    buildSync({
      entryPoints: [
        { in: "test/local/crash/child.ts", out: "child" },
        { in: "local/main.ts", out: "main" },
        { in: "local/engine/store/worker.ts", out: "worker" },
      ],
      ...{ outdir: built, outExtension: { ".js": ".mjs" } },
      ...{ bundle: true, platform: "node", format: "esm" },
      // What is bundled too is not looked for in hundreds of files at each start.
      external: ["libsql", "esbuild"],
      banner: {
        js: 'import { createRequire as require_ } from "node:module"; const require = require_(import.meta.url);',
      },
    });
  });
  afterAll(() => {
    for (const child of children) child.kill("SIGKILL");
    rmSync(built, { recursive: true, force: true });
  });
};

export interface RouterProcess {
  /** The address of its API, once it is ready. Rejects if the process ends before. */
  readonly ready: Promise<string>;
  /** Resolves with the exit code, null after a signal. */
  readonly ended: Promise<number | null>;
  output(): string;
  errors(): string;
  kill(signal?: NodeJS.Signals): Promise<number | null>;
}

/** The file of a router. */
export const programOf = (name: "child" | "main"): string => join(built, `${name}.mjs`);

/** Starts a router over a folder, that of the tests or `npm start`. */
export function startRouter(
  name: "child" | "main",
  env: Readonly<Record<string, string>>,
  user: { readonly uid?: number; readonly gid?: number } = {},
): RouterProcess {
  const child = spawn(process.execPath, [programOf(name)], { env: { ...process.env, ...env }, ...user });
  children.add(child);
  let [output, errors] = ["", ""];
  const ended = new Promise<number | null>((resolve) => {
    child.once("close", (code) => {
      children.delete(child);
      resolve(code);
    });
  });
  const ready = new Promise<string>((resolve, reject) => {
    child.stdout.on("data", (chunk) => {
      output += chunk;
      const url = /(?:^ready|HTTP API) +(https?:\/\/[^/\s]+)/m.exec(output)?.[1];
      if (url !== undefined) resolve(url);
    });
    ended.then((code) => reject(new Error(`the router ended with ${code}: ${errors}`)));
  });
  ready.catch(() => {});
  child.stderr.on("data", (chunk) => {
    errors += chunk;
  });
  return {
    ...{ ready, ended },
    output: () => output,
    errors: () => errors,
    kill(signal = "SIGKILL") {
      child.kill(signal);
      return ended;
    },
  };
}

/** A port that several processes can have in turn. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
