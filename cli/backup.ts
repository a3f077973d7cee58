import { createWriteStream, existsSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import type { Command } from "commander";
import { causeOf } from "../server/request.ts";
import { parseJson } from "../shared/protocol/parse.ts";
import { Failure, hintFor, isReason, reasonLine, UNREACHABLE_HINT, UsageError } from "./failure.ts";
import type { Io } from "./io.ts";
import { filled } from "./option.ts";
import { routerUrl } from "./router.ts";
import { callerToken } from "./token.ts";

/** `tagwire backup`: writes the data of a router on one machine to a file, while the router runs. */
export function backupVerb(program: Command, io: Io): void {
  program
    .command("backup")
    .description("write the data of a router on one machine to a file, while it runs; needs an admin token")
    .argument("<file>", "a new file", filled)
    .action(async (file: string, _own: unknown, command: Command) => {
      if (existsSync(file)) throw new UsageError(`${file} is there already; name a new file`);
      const bytes = await backUp(io, file);
      const { json } = command.optsWithGlobals();
      io.stdout.write(json ? `${JSON.stringify({ file, bytes })}\n` : `wrote ${bytes} bytes to ${file}\n`);
    });
}

/** The file gets its name once all of it is on the disk. Returns its size in bytes. */
async function backUp(io: Io, file: string): Promise<number> {
  const response = await ask(io);
  const wanted = Number(response.headers.get("content-length"));
  const unfinished = `${file}.unfinished`;
  try {
    const body = Readable.fromWeb((response.body ?? new Blob([]).stream()) as ReadableStream);
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

async function ask(io: Io): Promise<Response> {
  const url = routerUrl(io);
  const headers = { authorization: `Bearer ${await callerToken(io)}` };
  const response = await io.fetch(new URL("v1/backup", url), { headers }).catch((cause: unknown) => {
    throw new Failure(`cannot reach ${url.origin}: ${causeOf(cause)}${UNREACHABLE_HINT}`, { cause });
  });
  if (response.status === 200 && response.headers.get("content-type") === "application/vnd.sqlite3")
    return response;
  const problem = parseJson(await response.text());
  if (problem.ok && isReason(problem.value))
    throw new Failure(reasonLine(problem.value) + hintFor(response.status));
  throw new Failure(
    `${url.origin} is no router on one machine: the data of a deployment is in DynamoDB and SQS, which have backups of their own`,
  );
}
