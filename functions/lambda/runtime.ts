import type { Runtime } from "../aws/runtime.ts";
import { SYSTEM_CLOCK } from "../runtime/system-clock.ts";

/** The runtime of a function that runs in Lambda. A function that verifies no token reads no secret. */
export const lambdaRuntime = (readSecret: Runtime["readSecret"] = noSecret): Runtime => ({
  env: process.env,
  // Not console.log: Lambda would put time and request id before each line, and a metric record must be plain JSON.
  write: (line) => {
    process.stdout.write(`${line}\n`);
  },
  readSecret,
  clock: SYSTEM_CLOCK,
  random: Math.random,
});

const noSecret = async (id: string) => {
  throw new Error(`this function does not read secret ${id}`);
};
