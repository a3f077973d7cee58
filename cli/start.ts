import { type Command, Option } from "commander";
import type { ServeOptions } from "../local/serve.ts";
import { between, filled } from "./option.ts";

/** `tagwire start`: a router on this machine. It is read only when it is asked for. */
export function startVerb(program: Command): void {
  startOptions(program.command("start")).action(async (options: ServeOptions) => {
    const { fail, serve } = await import("../local/serve.ts");
    await serve(options).catch(fail);
  });
}

/** What `tagwire start` and `npm start` may say. */
export const startOptions = (command: Command): Command =>
  command
    .description(
      "run a router on this machine, until Ctrl-C (docs/operate.md lists the variables that it reads)",
    )
    .option("--host <address>", "the address it listens on, instead of HOST or 127.0.0.1", filled)
    .option("--port <number>", "its port, instead of PORT or 3000", port)
    .option("--data <folder>", "where it keeps its data, instead of TAGWIRE_DATA or .tagwire", filled)
    .addOption(new Option("--memory", "keep nothing on the disk").conflicts("data"))
    .option("--tls-cert <file>", "its TLS certificate as PEM, instead of TAGWIRE_TLS_CERT", filled)
    .option("--tls-key <file>", "the key of the certificate, instead of TAGWIRE_TLS_KEY", filled);

/** A port, or 0 for a free one. */
const port = (text: string): string => String(between(0, 65_535)(text));
