import { Command, Option } from "commander";
import { exitCodeOf, inOneLine } from "../cli/run.ts";
import { startOptions } from "../cli/start.ts";
import { fail, type ServeOptions, serve } from "./serve.ts";

/** `npm start`: `tagwire start`, and with `--aws` the emulated account, which keeps nothing on the disk. */
const program = startOptions(inOneLine(new Command("npm start --"), process))
  .addOption(new Option("--aws", "run an emulated account instead").conflicts("data"))
  .action(async ({ aws = false, ...options }: ServeOptions & { readonly aws?: boolean }) => {
    await (aws ? serveTwin(options) : serve(options)).catch(fail);
  });

async function serveTwin(options: ServeOptions): Promise<void> {
  // The SDK's word on Node 20 would be the first thing a newcomer reads.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
  const { startTwin } = await import("./twin/start.ts");
  return serve({ ...options, memory: true }, startTwin);
}

process.exitCode = await exitCodeOf(program, process.argv.slice(2), process);
