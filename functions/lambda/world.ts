import { setTimeout as pause } from "node:timers/promises";
import { clientConfig } from "../../shared/adapters/aws/client.ts";
import type { World } from "../world.ts";

/** The world of a function that runs in Lambda. */
export const lambdaWorld = (): World => ({
  env: process.env,
  // Not console.log: Lambda would put time and request id before each line, and a metric record must be plain JSON.
  write: (line) => {
    process.stdout.write(`${line}\n`);
  },
  readSecret,
  clock: {
    now: () => Date.now(),
    pause: async (milliseconds) => {
      await pause(milliseconds);
    },
  },
  random: Math.random,
});

/** Loads its client on first use, since most starts never come here: the secret is read once and kept. */
async function readSecret(id: string): Promise<string> {
  const { GetSecretValueCommand, SecretsManagerClient } = await import("@aws-sdk/client-secrets-manager");
  const client = new SecretsManagerClient(clientConfig(process.env, "SECRETS_MANAGER"));
  const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: id }));
  if (!SecretString) throw new Error(`secret ${id} holds no text`);
  return SecretString;
}
