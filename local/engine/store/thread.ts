import { createRequire } from "node:module";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { messageOf, type TagwireError } from "../../../shared/protocol/errors.ts";
import { type Fault, thrown } from "./fault.ts";
import type { Rows } from "./rows.ts";

/** What a thread is started for. */
export type Task =
  | { readonly kind: "write"; readonly folder: string; readonly maxBytes: number | undefined }
  | { readonly kind: "verify"; readonly folder: string }
  | { readonly kind: "backUp"; readonly folder: string; readonly path: string };

/** What a thread that writes is asked, in order. */
export type Request =
  | { readonly kind: "commit"; readonly rows: Rows }
  | { readonly kind: "expire"; readonly now: number }
  | { readonly kind: "close" };

/** The answer to the task, and then one to each request. */
export type Reply = { readonly fault: Fault } | { readonly fault?: undefined; readonly value: boolean };

/** A thread of worker.ts. */
export class Thread {
  readonly #worker: Worker;
  readonly #folder: string;
  /** Who waits for a reply, in the order of requests. */
  readonly #waiting: { resolve(value: boolean): void; reject(fault: Error): void }[] = [];
  /** Settles with the task; what `value` says depends on it. */
  readonly started: Promise<boolean>;
  /** Resolves once it has ended, with why it can be asked nothing any more. */
  readonly ended: Promise<TagwireError>;
  #hasEnded = false;

  constructor(task: Task) {
    this.#folder = task.folder;
    this.#worker = start(task);
    alive.add(this.#worker);
    this.#worker.once("exit", () => alive.delete(this.#worker));
    this.started = this.#reply();
    this.#worker.on("message", (reply: Reply) => {
      const waiting = this.#waiting.shift();
      if (reply.fault === undefined) waiting?.resolve(reply.value);
      else waiting?.reject(thrown(reply.fault));
    });
    this.ended = new Promise((resolve) => {
      this.#worker.on("error", (fault) => resolve(this.#end(messageOf(fault))));
      this.#worker.on("exit", () => resolve(this.#end("its thread has ended")));
    });
  }

  /** Throws a TagwireError if what is asked could not be done. */
  ask(request: Request): Promise<boolean> {
    if (this.#hasEnded) return Promise.reject(thrown(this.#fault("it is closed")));
    this.#worker.postMessage(request);
    return this.#reply();
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #reply(): Promise<boolean> {
    return new Promise((resolve, reject) => void this.#waiting.push({ resolve, reject }));
  }

  #end(why: string): TagwireError {
    this.#hasEnded = true;
    const fault = thrown(this.#fault(why));
    for (const { reject } of this.#waiting.splice(0)) reject(fault);
    return fault;
  }

  #fault(why: string): Fault {
    return { code: "STORE_UNAVAILABLE", detail: `the store of ${this.#folder} cannot be used: ${why}` };
  }
}

const alive = new Set<Worker>();

/** Ends all threads. One that waits for the disk ends when that answers. */
export async function endThreads(): Promise<void> {
  await Promise.all([...alive].map((worker) => worker.terminate()));
}

/** The package has JavaScript. The sources are TypeScript, which a thread does not read before Node 22.18 by any loader. */
function start(task: Task): Worker {
  const here = import.meta.url;
  const entry = new URL(`./worker${extname(here)}`, here);
  if (extname(here) !== ".ts") return new Worker(entry, { workerData: task });
  bundled ??= bundle(here, fileURLToPath(entry));
  return new Worker(bundled, { eval: true, workerData: task });
}

let bundled: string | undefined;

function bundle(here: string, entry: string): string {
  const { buildSync } = createRequire(here)("esbuild") as typeof import("esbuild");
  const { outputFiles } = buildSync({
    entryPoints: [entry],
    bundle: true,
    packages: "external",
    platform: "node",
    format: "cjs",
    // Text that is evaluated would look for packages in the working directory.
    banner: { js: `require = require("node:module").createRequire(${JSON.stringify(here)});` },
    write: false,
  });
  return outputFiles[0]?.text ?? "";
}
