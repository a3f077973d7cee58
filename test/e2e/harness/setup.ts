import { rmSync } from "node:fs";
import { join } from "node:path";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { TestProject } from "vitest/node";
import { clientConfig } from "./aws.ts";
import { emulator } from "./emulator.ts";
import { bootstrap, deploy, SCRATCH, SETTINGS } from "./stack.ts";

/** What the tests know of the stack. */
export interface Deployed {
  /** The emulator. */
  readonly endpoint: string;
  /** Whether posts can be made to fail. */
  readonly faults: boolean;
  readonly outputs: Readonly<Record<string, string>>;
  /** Signs tokens. */
  readonly secret: string;
}

declare module "vitest" {
  export interface ProvidedContext {
    deployed: Deployed;
  }
}

/** Deploys the stack once, for all test files. */
export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] = "true";
  rmSync(SCRATCH, { recursive: true, force: true });
  const { endpoint, faults, stop } = await emulator(join(SCRATCH, "emulator.log"));
  try {
    await bootstrap(endpoint);
    const outputs = await deploy(endpoint, SETTINGS);
    const secret = await secretOf(endpoint, outputs);
    provide("deployed", { endpoint, faults, outputs, secret });
  } catch (fault) {
    await stop();
    throw fault;
  }
  return stop;
}

async function secretOf(endpoint: string, outputs: Readonly<Record<string, string>>): Promise<string> {
  const client = new SecretsManagerClient(clientConfig(endpoint));
  const { SecretString = "" } = await client.send(
    new GetSecretValueCommand({ SecretId: outputs["SecretArn"] }),
  );
  return SecretString;
}
