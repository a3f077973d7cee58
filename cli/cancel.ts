import type { Command } from "commander";
import { isObject } from "./failure.ts";
import type { Io } from "./io.ts";
import { messagePath } from "./receipt.ts";
import { call, granted } from "./router.ts";

/** `tagwire cancel`: stops what has not been delivered yet. */
export function cancelVerb(program: Command, io: Io): void {
  program
    .command("cancel")
    .description("stop what has not been delivered yet")
    .argument("<id>", "the message's id")
    .option("--producer <user>", "who posted it, if not you; needs an admin token")
    .action(async (id: string, { producer }: { producer?: string }, command: Command) => {
      const body = granted(await call(io, "DELETE", messagePath(id, producer)));
      const state = isObject(body) && typeof body.state === "string" ? body.state : "cancelled";
      const { json } = command.optsWithGlobals();
      io.stdout.write(json ? `${JSON.stringify(body ?? { id, state })}\n` : `${state} ${id}\n`);
    });
}
