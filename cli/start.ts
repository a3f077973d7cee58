import type { Command } from "commander";

/** `tagwire start`: a router on this machine. The emulators are read only when it is asked for. */
export function startVerb(program: Command): void {
  program
    .command("start")
    .description("run a router on this machine, until Ctrl-C (PORT and TAGWIRE_SECRET are read)")
    .action(async () => {
      const { fail, serve } = await import("../local/serve.ts");
      await serve().catch(fail);
    });
}
