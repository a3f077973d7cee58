import { fork } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export interface SandboxOptions {
  /** The folder of the function's code. */
  readonly folder: string;
  /** As in index.handler. */
  readonly handler: string;
  /** The whole environment: nothing of this process's own is added. */
  readonly env: Readonly<Record<string, string>>;
  readonly arn: string;
  /** Takes each line that the function prints. */
  readonly write: (line: string) => void;
}

export interface Sandbox {
  /** Runs the handler once; calls wait for one another, as one sandbox runs one event at a time. */
  invoke(event: unknown, remainingMilliseconds: number): Promise<unknown>;
  stop(): Promise<void>;
}

interface Reply {
  readonly value?: unknown;
  readonly fault?: string;
}

const BOOTSTRAP = fileURLToPath(new URL("./bootstrap.mjs", import.meta.url));

/** A function's deployed code in a process of its own. */
export async function startSandbox({ folder, handler, env, arn, write }: SandboxOptions): Promise<Sandbox> {
  const [file = ""] = handler.split(".");
  const child = fork(BOOTSTRAP, [join(folder, `${file}.mjs`)], {
    ...{ cwd: folder, env, execArgv: [], silent: true },
  });
  for (const output of [child.stdout, child.stderr]) {
    if (output) createInterface(output).on("line", write);
  }
  const died = once(child, "exit").then(([code, signal]): never => {
    throw new Error(`the process of ${arn} ended with ${code ?? signal}`);
  });
  died.catch(() => {});
  const reply = async () => (await Promise.race([once(child, "message"), died]))[0] as Reply;
  await reply();

  const run = async (event: unknown, remaining: number): Promise<unknown> => {
    const answered = reply();
    const deadline = Date.now() + remaining;
    child.send({ event, trace: traceId(), requestId: randomUUID(), deadline, arn });
    const { value, fault } = await answered;
    if (fault !== undefined) throw new Error(fault);
    return value;
  };
  let last: Promise<unknown> = Promise.resolve();
  return {
    invoke(event, remaining) {
      const next = last.then(() => run(event, remaining));
      last = next.catch(() => undefined);
      return next;
    },
    async stop() {
      child.kill("SIGKILL");
      await died.catch(() => {});
    },
  };
}

/** As Lambda sets it, with the lineage by which it finds loops. */
const traceId = () => {
  const seconds = Math.floor(Date.now() / 1000).toString(16);
  const hex = (bytes: number) => randomBytes(bytes).toString("hex");
  return `Root=1-${seconds}-${hex(12)};Parent=${hex(8)};Sampled=0;Lineage=1:${hex(4)}:0`;
};
