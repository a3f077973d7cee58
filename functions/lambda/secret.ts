import { clientConfig } from "../../shared/adapters/aws/client.ts";

/** Reads a secret. Loads its client on first use, since most starts never come here: whoever asks keeps the answer. */
export async function readSecret(id: string): Promise<string> {
  const { GetSecretValueCommand, SecretsManagerClient } = await import("@aws-sdk/client-secrets-manager");
  const client = new SecretsManagerClient(clientConfig(process.env, "SECRETS_MANAGER"));
  const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: id }));
  if (!SecretString) throw new Error(`secret ${id} holds no text`);
  return SecretString;
}
