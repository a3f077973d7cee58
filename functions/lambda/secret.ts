import type { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { SecretStage, SecretVersion } from "../../shared/adapters/jwt/secret-tokens.ts";
import { clientConfig, requestHandler } from "../../shared/adapters/sdk/client.ts";

/**
 * Reads the version of a secret that has this staging label; undefined if AWSPREVIOUS labels none, as before the first
 * rotation. Loads its client on first use, since a caller keeps what it gets and most runs never come here.
 */
export async function readSecret(id: string, stage: SecretStage): Promise<SecretVersion | undefined> {
  const { GetSecretValueCommand, SecretsManagerClient } = await import("@aws-sdk/client-secrets-manager");
  client ??= new SecretsManagerClient({
    ...clientConfig(process.env, "SECRETS_MANAGER"),
    requestHandler: requestHandler(TIMEOUT, 2),
    maxAttempts: ATTEMPTS,
  });
  try {
    const read = new GetSecretValueCommand({ SecretId: id, VersionStage: stage });
    const { SecretString: text, CreatedDate: created } = await client.send(read);
    if (!text) throw new Error(`secret ${id} holds no text`);
    return { text, ...(created ? { createdAt: created.getTime() } : {}) };
  } catch (fault) {
    const isMissing = fault instanceof Error && fault.name === "ResourceNotFoundException";
    if (stage === "AWSPREVIOUS" && isMissing) return undefined;
    throw fault;
  }
}

/** Two versions are read at most: all tries together stay within the time of a function. Milliseconds. */
const TIMEOUT = 1_500;
const ATTEMPTS = 2;

let client: SecretsManagerClient | undefined;
