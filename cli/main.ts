#!/usr/bin/env node
import { processIo } from "./io.ts";
import { run } from "./program.ts";

// `tagwire listen | head -1` closes our output, and that is no failure.
process.stdout.on("error", (fault: NodeJS.ErrnoException) => {
  if (fault.code === "EPIPE") process.exit(0);
  process.stderr.write(`tagwire: standard output cannot be written: ${fault.message}\n`);
  process.exit(1);
});
// Nobody reads it any more, and what is printed on standard output is not less right.
process.stderr.on("error", () => undefined);

// The SDK's word on Node 20 would stand above every answer.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";

process.exitCode = await run(process.argv.slice(2), processIo());
// A producer that still holds the other end of the pipe must not keep us.
process.stdin.destroy();
