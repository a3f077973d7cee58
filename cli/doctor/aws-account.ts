import { GetAccountSettingsCommand, LambdaClient } from "@aws-sdk/client-lambda";
import {
  GetAWSDefaultServiceQuotaCommand,
  GetServiceQuotaCommand,
  ServiceQuotasClient,
} from "@aws-sdk/client-service-quotas";
import { GetParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { clientConfig, requestHandler } from "../../shared/adapters/sdk/client.ts";
import { messageOf } from "../../shared/protocol/errors.ts";
import type { Account, AccountResult } from "./account.ts";

/** Milliseconds before a call counts as failed. */
const TIMEOUT = 10_000;

export type Opened =
  | { readonly kind: "account"; readonly account: Account }
  | { readonly kind: "no-region" }
  | { readonly kind: "no-credentials"; readonly reason: string };

/** The account and Region that the AWS SDK finds, as it would for a deploy. */
export async function openAccount(
  env: Readonly<Record<string, string | undefined>>,
  named: string | undefined,
): Promise<Opened> {
  const config = (service: string) => ({
    ...clientConfig(env, service),
    ...(named ? { region: named } : {}),
    requestHandler: requestHandler(TIMEOUT, 10),
  });
  const lambda = new LambdaClient(config("LAMBDA"));
  const region = await lambda.config.region().catch(() => undefined);
  if (!region) return { kind: "no-region" };
  try {
    await lambda.config.credentials();
  } catch (fault) {
    return { kind: "no-credentials", reason: messageOf(fault) };
  }
  const quotas = new ServiceQuotasClient(config("SERVICE_QUOTAS"));
  const parameters = new SSMClient(config("SSM"));

  const account: Account = {
    region,
    lambdaLimits: () =>
      asked(async () => {
        const { AccountLimit } = await lambda.send(new GetAccountSettingsCommand({}));
        const { ConcurrentExecutions: concurrency, UnreservedConcurrentExecutions: unreserved } =
          AccountLimit ?? {};
        return concurrency === undefined || unreserved === undefined
          ? undefined
          : { concurrency, unreserved };
      }),
    async quota(ServiceCode, QuotaCode) {
      const names = { ServiceCode, QuotaCode };
      const own = await asked(
        async () => (await quotas.send(new GetServiceQuotaCommand(names))).Quota?.Value,
      );
      if (own.kind !== "absent") return own;
      // A quota that was never changed may be known by its default alone.
      return asked(async () => (await quotas.send(new GetAWSDefaultServiceQuotaCommand(names))).Quota?.Value);
    },
    bootstrapVersion: (qualifier) =>
      asked(async () => {
        const Name = `/cdk-bootstrap/${qualifier}/version`;
        const { Parameter } = await parameters.send(new GetParameterCommand({ Name }));
        const version = Number(Parameter?.Value);
        if (Number.isInteger(version)) return version;
        throw new Error(`${Name} holds no number`);
      }),
  };
  return { kind: "account", account };
}

const ABSENT = ["NoSuchResourceException", "ParameterNotFound", "ResourceNotFoundException"];
const DENIED = ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation"];
const REJECTED = [
  "ExpiredToken",
  "ExpiredTokenException",
  "IncompleteSignature",
  "IncompleteSignatureException",
  "InvalidClientTokenId",
  "InvalidSignatureException",
  "SignatureDoesNotMatch",
  "UnrecognizedClientException",
];

async function asked<T>(call: () => Promise<T | undefined>): Promise<AccountResult<T>> {
  try {
    const value = await call();
    return value === undefined ? { kind: "absent" } : { kind: "value", value };
  } catch (fault) {
    const name = fault instanceof Error ? fault.name : "";
    if (ABSENT.includes(name)) return { kind: "absent" };
    if (DENIED.includes(name)) return { kind: "denied" };
    const reason = name === "" || name === "Error" ? messageOf(fault) : `${name}: ${messageOf(fault)}`;
    return { kind: REJECTED.includes(name) ? "rejected" : "failed", reason };
  }
}
