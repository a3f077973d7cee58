import { setTimeout as pause } from "node:timers/promises";
import type { Command } from "commander";
import { Failure, isObject, UsageError } from "./failure.ts";
import type { Io } from "./io.ts";
import { call, granted } from "./router.ts";

interface Options {
  readonly user?: string;
  readonly connection?: string;
  readonly before?: string;
}

/** Requests in a row that close nothing before the command gives up: a connect takes at most 29 s. */
const PATIENCE = 40;

/** Milliseconds between a request that closed nothing and the next. */
const PAUSE = 1_000;

/** `tagwire disconnect`: closes the connections of a user, or one. */
export function disconnectVerb(program: Command, io: Io): void {
  program
    .command("disconnect")
    .description("close the connections of a user, or one; needs an admin token")
    .option("--user <user>", "all connections of this user")
    .option("--connection <id>", "this connection")
    .option("--before <time>", "only those opened before, as in 2026-01-31T12:00:00Z")
    .action(async (options: Options, command: Command) => {
      const closed = await disconnect(io, pathOf(options));
      const { json } = command.optsWithGlobals();
      const connections = closed === 1 ? "connection" : "connections";
      io.stdout.write(json ? `${JSON.stringify({ closed })}\n` : `closed ${closed} ${connections}\n`);
    });
}

function pathOf({ user, connection, before }: Options): string {
  const query = before === undefined ? "" : `?before=${encodeURIComponent(before)}`;
  if (user !== undefined && connection === undefined)
    return `v1/users/${encodeURIComponent(user)}/connections${query}`;
  if (connection !== undefined && user === undefined)
    return `v1/connections/${encodeURIComponent(connection)}${query}`;
  throw new UsageError("name either --user or --connection");
}

/** Makes the request until nothing is left. Returns how many connections it closed. */
async function disconnect(io: Io, path: string): Promise<number> {
  let [closed, idle] = [0, 0];
  for (;;) {
    const body = granted(await call(io, "DELETE", path));
    const now = isObject(body) && typeof body.closed === "number" ? body.closed : 0;
    closed += now;
    if (!isObject(body) || body.more !== true) return closed;
    idle = now === 0 ? idle + 1 : 0;
    if (idle === PATIENCE) throw new Failure(`closed ${closed}, and some are left that cannot be closed yet`);
    if (now === 0) await pause(PAUSE);
  }
}
