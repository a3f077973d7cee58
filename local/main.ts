import { parseArgs } from "node:util";
import { fail, type ServeOptions, serve } from "./serve.ts";

/** Reads `npm start -- --memory`. Throws where an option is not known. */
const optionsIn = (argv: readonly string[]): ServeOptions =>
  parseArgs({ args: [...argv], options: { data: { type: "string" }, memory: { type: "boolean" } } }).values;

(async () => serve(optionsIn(process.argv.slice(2))))().catch(fail);
