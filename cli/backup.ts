import { createWriteStream, existsSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import { type Command, Option } from "commander";
import { causeOf } from "../server/request.ts";
import { parseJson } from "../shared/protocol/parse.ts";
import { Failure, hintFor, isReason, reasonLine, UNREACHABLE_HINT, UsageError } from "./failure.ts";
import type { Io } from "./io.ts";
import { between, filled } from "./option.ts";
import { routerUrl } from "./router.ts";
import { callerToken } from "./token.ts";

/** The most seconds that `fetch` waits for an answer, and between two parts of it. */
const LONGEST = 300;

/** `tagwire backup`: writes the data of a router on one machine to a file, while the router runs. */
export function backupVerb(program: Command, io: Io): void {
  program
    .command("backup")
    .description("write the data of a router on one machine to a file, while it runs; needs an admin token")
    .argument("<file>", "a new file", filled)
    .addOption(
      new Option("--timeout <seconds>", "how long to wait for the copy to be made, and for each byte of it")
        .argParser(between(1, LONGEST))
        .default(LONGEST),
    )
    .action(async (file: string, { timeout }: { readonly timeout: number }, command: Command) => {
      if (existsSync(file)) throw new UsageError(`${file} is there already; name a new file`);
      const patience = patienceOf(timeout);
      const bytes = await backUp(io, file, patience).finally(patience.end);
      const { json } = command.optsWithGlobals();
      io.stdout.write(json ? `${JSON.stringify({ file, bytes })}\n` : `wrote ${bytes} bytes to ${file}\n`);
    });
}

interface Patience {
  /** Is aborted once nothing has come for too long. */
  readonly signal: AbortSignal;
  /** Something has come. */
  renew(): void;
  end(): void;
}

function patienceOf(seconds: number): Patience {
  const controller = new AbortController();
  const timer = setTimeout(
    () => controller.abort(new Error(`nothing came within ${seconds} s`)),
    seconds * 1_000,
  );
  return {
    signal: controller.signal,
    renew: () => void timer.refresh(),
    end: () => clearTimeout(timer),
  };
}

/** The file gets its name once all of it is on the disk. Returns its size in bytes. */
async function backUp(io: Io, file: string, patience: Patience): Promise<number> {
  const response = await ask(io, patience);
  const wanted = Number(response.headers.get("content-length"));
  const unfinished = `${file}.unfinished`;
  try {
    const body = Readable.fromWeb((response.body ?? new Blob([]).stream()) as ReadableStream);
    body.on("data", patience.renew);
    await pipeline(body, createWriteStream(unfinished, { mode: 0o600 }));
    const written = await open(unfinished, "r+");
    const { size } = await written.stat();
    await written.sync().finally(() => written.close());
    if (size !== wanted || size === 0) throw new Error(`got ${size} of ${wanted} bytes`);
    await rename(unfinished, file);
    return size;
  } catch (cause) {
    await rm(unfinished, { force: true });
    throw new Failure(`${file} was not written: ${causeOf(cause)}`, { cause });
  }
}

async function ask(io: Io, { signal }: Patience): Promise<Response> {
  const url = routerUrl(io);
  const headers = { authorization: `Bearer ${await callerToken(io)}` };
  const unreachable = (cause: unknown): never => {
    throw new Failure(`cannot reach ${url.origin}: ${causeOf(cause)}${UNREACHABLE_HINT}`, { cause });
  };
  const response = await io.fetch(new URL("v1/backup", url), { headers, signal }).catch(unreachable);
  if (response.status === 200 && response.headers.get("content-type") === "application/vnd.sqlite3")
    return response;
  const problem = parseJson(await response.text().catch(unreachable));
  if (problem.ok && isReason(problem.value))
    throw new Failure(reasonLine(problem.value) + hintFor(response.status));
  throw new Failure(
    `${url.origin} is no router on one machine: the data of a deployment is in DynamoDB and SQS, which have backups of their own`,
  );
}
