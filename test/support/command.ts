import { Readable } from "node:stream";
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
  const text = { out: "", err: "" };
  const waiting = new Set<() => void>();
  const into = (name: keyof typeof text) => ({
    write(chunk: string) {
      text[name] += chunk;
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
    finished: run(argv, io).then((code) => ({ code, ...text })),
    interrupt: () => controller.abort(),
    printed: (wanted) =>
      new Promise((resolve) => {
        const check = () => {
          if (!(text.out + text.err).includes(wanted)) return;
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
