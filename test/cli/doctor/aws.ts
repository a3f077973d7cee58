import { httpPeer, type Recorded } from "../../support/peer.ts";

/** An account as its owner sees it. `denied` and `down` name services that do not answer as asked. */
export interface TestAccount {
  readonly concurrency?: number;
  readonly unreserved?: number;
  /** Quotas of the account's own, by code. */
  readonly quotas?: Readonly<Record<string, number>>;
  /** Quotas that every account of the Region has, by code. */
  readonly defaults?: Readonly<Record<string, number>>;
  /** Parameters of Systems Manager by name. */
  readonly parameters?: Readonly<Record<string, string>>;
  readonly denied?: readonly Service[];
  readonly down?: readonly Service[];
  /** The error that every call ends in. */
  readonly fault?: string;
}

export type Service = "lambda" | "servicequotas" | "ssm";

interface Answered {
  readonly status: number;
  readonly body: object;
}

/** Lambda, Service Quotas and Systems Manager on the loopback address, and the variables by which the SDK finds them. */
export async function awsWith(account: TestAccount) {
  const peer = await httpPeer((request) => answer(account, request));
  const env = {
    AWS_REGION: "eu-south-1",
    AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
    AWS_SECRET_ACCESS_KEY: "not-a-secret",
    AWS_ENDPOINT_URL_LAMBDA: peer.url,
    AWS_ENDPOINT_URL_SERVICE_QUOTAS: peer.url,
    AWS_ENDPOINT_URL_SSM: peer.url,
  };
  return { env, requests: peer.requests };
}

/** The service and Region that a call is signed for (Signature Version 4). */
export const scopeOf = ({ headers }: Recorded) => {
  const [, region = "", service = ""] =
    /Credential=[^/]+\/\d{8}\/([^/]+)\/([^/]+)\/aws4_request/.exec(headers.authorization ?? "") ?? [];
  return { region, service: service as Service };
};

function answer(account: TestAccount, request: Recorded): Answered {
  const { service } = scopeOf(request);
  if (account.down?.includes(service)) return fault(500, "InternalFailure");
  if (account.denied?.includes(service)) return fault(400, "AccessDeniedException");
  if (account.fault) return fault(400, account.fault);
  if (
    service === "lambda" &&
    request.method === "GET" &&
    request.path.startsWith("/2016-08-19/account-settings")
  )
    return settingsOf(account);
  const body = request.body as { QuotaCode?: string; ServiceCode?: string; Name?: string };
  switch (request.headers["x-amz-target"]) {
    case "ServiceQuotasV20190624.GetServiceQuota":
      return quotaOf(account.quotas, body.QuotaCode);
    case "ServiceQuotasV20190624.GetAWSDefaultServiceQuota":
      return quotaOf(account.defaults, body.QuotaCode);
    case "AmazonSSM.GetParameter":
      return parameterOf(account.parameters, body.Name);
    default:
      return fault(400, "UnknownOperationException");
  }
}

function settingsOf({ concurrency = 1_000, unreserved = concurrency }: TestAccount): Answered {
  const AccountLimit = { ConcurrentExecutions: concurrency, UnreservedConcurrentExecutions: unreserved };
  return { status: 200, body: { AccountLimit } };
}

function quotaOf(quotas: TestAccount["quotas"], code = ""): Answered {
  const Value = quotas?.[code];
  return Value === undefined
    ? fault(400, "NoSuchResourceException")
    : { status: 200, body: { Quota: { QuotaCode: code, Value } } };
}

function parameterOf(parameters: TestAccount["parameters"], name = ""): Answered {
  const Value = parameters?.[name];
  return Value === undefined
    ? fault(400, "ParameterNotFound")
    : { status: 200, body: { Parameter: { Name: name, Value } } };
}

const fault = (status: number, name: string): Answered => ({
  status,
  body: { __type: name, code: name, message: `a test wants ${name}` },
});
