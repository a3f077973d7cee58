import type { Command } from "commander";
import type { DisconnectTarget } from "../server/disconnect.ts";
import { UsageError } from "./failure.ts";
import type { Io } from "./io.ts";
import { once } from "./option.ts";
import { publisherFor } from "./router.ts";

interface Options {
  readonly user?: string;
  readonly connection?: string;
  readonly before?: string;
}

/** `tagwire disconnect`: closes the connections of a user, or one. */
export function disconnectVerb(program: Command, io: Io): void {
  program
    .command("disconnect")
    .description("close the connections of a user, or one; needs an admin token")
    .option("--user <user>", "all connections of this user", once)
    .option("--connection <id>", "this connection", once)
    .option("--before <time>", "only those opened before, as in 2026-01-31T12:00:00Z")
    .action(async ({ before, ...named }: Options, command: Command) => {
      const target = targetOf(named);
      const router = await publisherFor(io);
      const { closed } = await router.disconnect(target, before === undefined ? {} : { before });
      const { json } = command.optsWithGlobals();
      const connections = closed === 1 ? "connection" : "connections";
      io.stdout.write(json ? `${JSON.stringify({ closed })}\n` : `closed ${closed} ${connections}\n`);
    });
}

function targetOf({ user, connection }: Options): DisconnectTarget {
  if (user !== undefined && connection === undefined) return { user };
  if (connection !== undefined && user === undefined) return { connection };
  throw new UsageError("name either --user or --connection");
}
