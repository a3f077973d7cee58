import type { Command } from "commander";

/** `tagwire start`: a router on this machine. It is read only when it is asked for. */
export function startVerb(program: Command): void {
  program
    .command("start")
    .description("run a router on this machine, until Ctrl-C (HOST, PORT and TAGWIRE_SECRET are read)")
    .option("--data <folder>", "where it keeps its data, instead of TAGWIRE_DATA or .tagwire")
    .option("--memory", "keep nothing on the disk")
    .action(async (options: { data?: string; memory?: boolean }) => {
      const { fail, serve } = await import("../local/serve.ts");
      await serve(options).catch(fail);
    });
}
