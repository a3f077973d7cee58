#!/usr/bin/env node
import { processIo } from "./io.ts";
import { run } from "./program.ts";

// `tagwire listen | head -1` closes our output, and that is no failure.
let codeOfOutput: number | undefined;
process.stdout.on("error", (fault: NodeJS.ErrnoException) => {
  if (codeOfOutput !== undefined) return;
  codeOfOutput = fault.code === "EPIPE" ? 0 : 1;
  if (codeOfOutput > 0)
    process.stderr.write(`tagwire: standard output cannot be written: ${fault.message}\n`);
  // A verb that listens too has something to put in order first.
  if (process.stdout.listenerCount("error") === 1) process.exit(codeOfOutput);
});
// Nobody reads it any more, and what is printed on standard output is not less right.
process.stderr.on("error", () => undefined);

// The SDK's word on Node 20 would stand above every answer.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";

const code = await run(process.argv.slice(2), processIo());
process.exitCode = codeOfOutput ?? code;
// A producer that still holds the other end of the pipe must not keep us.
process.stdin.destroy();
