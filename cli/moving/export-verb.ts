import { once } from "node:events";
import { Writable } from "node:stream";
import type { Command } from "commander";
import type { Io } from "../io.ts";
import { filled } from "../option.ts";
import { progress } from "../progress.ts";

/** `tagwire export`: writes what a stopped router on one machine keeps. It is read only when it is asked for. */
export function exportVerb(program: Command, io: Io): void {
  program
    .command("export")
    .description("write what a stopped router on this machine keeps, for import to put into an account")
    .option("--data <folder>", "the folder of its data, instead of TAGWIRE_DATA or .tagwire", filled)
    .action(async ({ data }: { data?: string }) => {
      const { openExport } = await import("../../local/moving/export.ts");
      const { lines, close } = openExport(data ?? (io.env.TAGWIRE_DATA || ".tagwire"), io.now());
      const bar = progress(io);
      let count = 0;
      try {
        for (const text of lines) {
          const isTaken = io.stdout.write(text);
          bar.show(++count, undefined, `${count} lines`);
          if (isTaken === false && io.stdout instanceof Writable) await once(io.stdout, "drain");
        }
      } finally {
        bar.end();
        close();
      }
      io.stderr.write(`exported ${count} lines\n`);
    });
}
