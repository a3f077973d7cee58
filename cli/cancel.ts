import type { Command } from "commander";
import type { Io } from "./io.ts";
import { filled } from "./option.ts";
import { publisherFor } from "./router.ts";

/** `tagwire cancel`: stops what has not been delivered yet. */
export function cancelVerb(program: Command, io: Io): void {
  program
    .command("cancel")
    .description("stop what has not been delivered yet")
    .argument("<id>", "the message's id", filled)
    .option("--producer <user>", "who posted it, if not you; needs an admin token")
    .action(async (id: string, options: { producer?: string }, command: Command) => {
      const receipt = await (await publisherFor(io)).cancel(id, options);
      const { json } = command.optsWithGlobals();
      io.stdout.write(json ? `${JSON.stringify(receipt)}\n` : `${receipt.state} ${id}\n`);
    });
}
