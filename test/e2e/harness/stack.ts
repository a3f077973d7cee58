import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { SettingsOverrides } from "../../../shared/settings/schema.ts";
import { ACCOUNT, REGION } from "./aws.ts";
import { cdk } from "./cdk.ts";
import { closeGaps } from "./gaps.ts";

export const STACK = "Tagwire";

/**
 * A few sockets are an audience too large for one run, and running out of receives takes seconds. Some topics keep a
 * stream, others do not.
 */
export const SETTINGS = {
  streams: [{ topics: "kept/*", seconds: 3_600, count: 1_000 }],
  recipientsPerRun: 4,
  advanced: { backoff: { baseSeconds: 1, capSeconds: 3 } },
} satisfies SettingsOverrides;

/** Kept after a run: what the emulator and its functions printed, and the cloud assembly. */
export const SCRATCH = join(process.cwd(), "node_modules", ".cache", "tagwire-e2e");

const ASSEMBLY = join(SCRATCH, "cdk.out");

/** The outputs of the stack, as the CDK CLI writes them. */
export const OUTPUTS = join(SCRATCH, "outputs.json");

export const bootstrap = (endpoint: string): Promise<void> =>
  cdk(["bootstrap", `aws://${ACCOUNT}/${REGION}`], { endpoint, output: ASSEMBLY });

/** Deploys the stack of this repository, with these changes to the settings, and answers its outputs. */
export async function deploy(endpoint: string, settings: SettingsOverrides): Promise<Record<string, string>> {
  const context = [`tagwire:endpoint=${endpoint}`, `tagwire:settings=${JSON.stringify(settings)}`];
  await cdk(
    [
      "deploy",
      STACK,
      ...context.flatMap((pair) => ["--context", pair]),
      ...["--require-approval", "never"],
      ...["--outputs-file", OUTPUTS],
    ],
    { endpoint, output: ASSEMBLY },
  );
  await closeGaps(endpoint, STACK, ASSEMBLY);
  return JSON.parse(readFileSync(OUTPUTS, "utf8"))[STACK];
}

export const destroy = (endpoint: string): Promise<void> =>
  cdk(["destroy", STACK, "--context", `tagwire:endpoint=${endpoint}`, "--force"], {
    endpoint,
    output: ASSEMBLY,
  });
