import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { Io } from "../../cli/io.ts";
import { run } from "../../cli/program.ts";

/** What a finished command left behind. */
export interface Finished {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface Running {
  readonly finished: Promise<Finished>;
  /** What SIGINT does. */
  interrupt(): void;
  /** Resolves when the output contains the text. */
  printed(text: string): Promise<void>;
}

export interface Surroundings {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: NodeJS.ReadableStream | string;
  readonly now?: number;
}

/** Runs one `tagwire` command line in this process. Nobody waits between two attempts: randomness is always 0. */
export function start(argv: readonly string[], { env = {}, stdin = "", now }: Surroundings = {}): Running {
  const controller = new AbortController();
  const printed = { out: "", err: "" };
  const waiting = new Set<() => void>();
  const into = (name: keyof typeof printed) => ({
    write(chunk: string) {
      printed[name] += chunk;
      for (const check of waiting) check();
    },
  });
  const io: Io = {
    env,
    stdin: typeof stdin === "string" ? Readable.from([stdin]) : stdin,
    stdout: into("out"),
    stderr: into("err"),
    fetch,
    now: () => now ?? Date.now(),
    random: () => 0,
    interrupt: () => controller.signal,
  };
  return {
    finished: run(argv, io).then((code) => ({ code, ...printed })),
    interrupt: () => controller.abort(),
    printed: (wanted) =>
      new Promise((resolve) => {
        const check = () => {
          if (!(printed.out + printed.err).includes(wanted)) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
      }),
  };
}

export const tagwire = (argv: readonly string[], surroundings?: Surroundings): Promise<Finished> =>
  start(argv, surroundings).finished;

const MAIN = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));
const TSX = import.meta.resolve("tsx");

/** The command in a process of its own, in a folder that is not the package's. Its output goes to the files that are named. */
export function command(
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
  { stdout = "pipe", stderr = "pipe" }: { stdout?: "pipe" | number; stderr?: "pipe" | number } = {},
) {
  const child = spawn(process.execPath, ["--import", TSX, MAIN, ...argv], {
    cwd: tmpdir(),
    env: { ...process.env, ...env },
    stdio: ["pipe", stdout, stderr],
  }) as ChildProcessWithoutNullStreams;
  const exit = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const finished = Promise.all([exit, text(child.stdout ?? []), text(child.stderr ?? [])]);
  return { child, finished };
}
