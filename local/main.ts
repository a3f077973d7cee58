import { parseArgs } from "node:util";
import { fail, serve } from "./serve.ts";

const OPTIONS = {
  host: { type: "string" },
  port: { type: "string" },
  data: { type: "string" },
  "tls-cert": { type: "string" },
  "tls-key": { type: "string" },
  memory: { type: "boolean" },
  aws: { type: "boolean" },
} as const;

/** Runs `npm start`. With `--aws` it is the emulated account, which keeps nothing on the disk. */
async function main(args: string[]): Promise<void> {
  const {
    aws = false,
    "tls-cert": tlsCert,
    "tls-key": tlsKey,
    ...rest
  } = parseArgs({ args, options: OPTIONS }).values;
  const options = { ...rest, ...(tlsCert ? { tlsCert } : {}), ...(tlsKey ? { tlsKey } : {}) };
  if (!aws) return serve(options);
  // The SDK's word on Node 20 would be the first thing a newcomer reads.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
  const { startTwin } = await import("./twin/start.ts");
  return serve({ ...options, memory: true }, startTwin);
}

main(process.argv.slice(2)).catch(fail);
