import type { Settings } from "../../shared/settings/schema.ts";
import type { Opened } from "./aws-account.ts";
import { checkBootstrap } from "./bootstrap.ts";
import { type Check, type Finding, ok, unknown, wouldFail } from "./check.ts";
import { checkConcurrency } from "./concurrency.ts";
import { checkConnects, checkRequests } from "./requests.ts";

/** What is to be deployed. */
export interface Deployment {
  readonly settings: Settings;
  /** Whether the consumer's concurrency is taken out of the account's. */
  readonly reserve: boolean;
  /** Of the CDK's bootstrap stack. */
  readonly qualifier: string;
}

/** Looks at the account that a deploy would go to, and tells what would fail there. */
export async function doctor(opened: Opened, deployment: Deployment): Promise<readonly Check[]> {
  switch (opened.kind) {
    case "no-region":
      return [named("Region", wouldFail("there is none", "set AWS_REGION, or name it with --region"))];
    case "no-credentials":
      return [
        named(
          "credentials",
          wouldFail(
            `there are none: ${opened.reason}`,
            "set AWS_PROFILE, or log in with aws login or aws sso login",
          ),
        ),
      ];
    case "account":
      return lookAt(opened.account, deployment);
  }
}

async function lookAt(
  account: Extract<Opened, { kind: "account" }>["account"],
  deployment: Deployment,
): Promise<readonly Check[]> {
  const findings = await Promise.all([
    checkBootstrap(account, deployment.qualifier),
    checkConcurrency(account, deployment),
    checkRequests(account, deployment.settings),
    checkConnects(account),
  ]);
  const [bootstrap, concurrency, requests, connects] = findings;
  return [
    named("Region", ok(account.region)),
    named("CDK bootstrap", bootstrap),
    named("Lambda concurrency", concurrency),
    named("API Gateway requests", requests),
    named("API Gateway connects", connects),
    named("arm64 and Node.js 24", runtime(account.region)),
  ];
}

/** No API tells what Lambda runs in a Region before a function is made there. */
const runtime = (region: string): Finding =>
  unknown(
    `AWS has no call that tells whether Lambda has them in ${region}`,
    "if the deploy says that it has not: -c tagwire:architecture=x86_64, -c tagwire:runtime=nodejs22.x",
  );

const named = (name: string, finding: Finding): Check => ({ name, ...finding });
