import type { Call } from "./front.ts";
import { refusalOf } from "./refusal.ts";
import { operationOf } from "./service.ts";

/** Values of a secret by staging label, the current one under AWSCURRENT. */
export type Secret = Readonly<Record<string, string>>;

interface Input {
  readonly SecretId: string;
  readonly VersionStage?: string;
}

/** Secrets Manager as far as reading goes, with these secrets by ARN. */
export function secretsManager(secrets: () => Readonly<Record<string, Secret>>): Call {
  return async (request) => {
    const { SecretId, VersionStage = "AWSCURRENT" } = JSON.parse(request.body.toString()) as Input;
    if (operationOf(request) !== "GetSecretValue") throw new Error(`not emulated: ${operationOf(request)}`);
    const SecretString = secrets()[SecretId]?.[VersionStage];
    if (SecretString === undefined) {
      const message =
        "Secrets Manager can't find the specified secret value for staging label: " + VersionStage;
      return refusalOf("secretsmanager", { code: "ResourceNotFoundException", message });
    }
    const body = JSON.stringify({ ARN: SecretId, SecretString, VersionStages: [VersionStage] });
    return { status: 200, headers: { "content-type": "application/x-amz-json-1.1" }, body };
  };
}
