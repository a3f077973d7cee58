import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { CREDENTIALS, REGION } from "./aws.ts";

export interface CdkOptions {
  /** The emulator. */
  readonly endpoint: string;
  /** Where the CLI puts the assembly. */
  readonly output: string;
  /** What app it runs, where that is not the one of cdk.json. */
  readonly cwd?: string;
}

/** Runs the CDK CLI as a user would. Throws with all that it printed where it fails. */
export async function cdk(args: readonly string[], options: CdkOptions): Promise<void> {
  const { endpoint, output, cwd = process.cwd() } = options;
  const command = join(process.cwd(), "node_modules", ".bin", "cdk");
  const child = spawn(command, [...args, "--output", output, "--no-notices", "--progress", "events"], {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...withoutAws(process.env),
      CI: "true",
      CDK_DISABLE_CLI_TELEMETRY: "true",
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
      AWS_ENDPOINT_URL: endpoint,
      AWS_ENDPOINT_URL_S3: process.env["AWS_ENDPOINT_URL_S3"] ?? endpoint,
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    },
  });
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  if (child.exitCode !== 0) {
    throw new Error(`cdk ${args.join(" ")} failed with ${child.exitCode}\n${out}\n${err}`);
  }
}

/** Whoever runs this may be logged in to an account, which is none of the emulator's business. */
const withoutAws = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("AWS_")));
