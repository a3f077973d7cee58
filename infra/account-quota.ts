import { CustomResource, Duration, type RemovalPolicy } from "aws-cdk-lib";
import { PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { type Architecture, Code, Function as LambdaFunction, Runtime } from "aws-cdk-lib/aws-lambda";
import { LogGroup, type RetentionDays } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import type { QuotaVariable } from "../shared/settings/variables.ts";
import { acceptWildcard } from "./accept.ts";

export interface AccountQuotaProps {
  readonly architecture: Architecture;
  readonly runtime: Runtime;
  readonly logRetention: RetentionDays;
  readonly removalPolicy: RemovalPolicy;
}

/** Requests per second over HTTP, WebSocket and callback APIs together. */
const CODE = "L-8A5B8E43";

/**
 * Asks Service Quotas at each deploy that changes it how many requests a second API Gateway lets the account make. What
 * cannot be read is an empty text, and never fails a deploy.
 */
export class AccountQuota extends Construct {
  /** What the functions that count on the quota have: a number as text, or an empty one. */
  readonly variables: Readonly<Record<QuotaVariable, string>>;

  constructor(scope: Construct, id: string, props: AccountQuotaProps) {
    super(scope, id);
    const { architecture, logRetention: retention, removalPolicy } = props;
    // Every Node.js of Lambda takes code that stands in the template. CDK believes it only of those that it knows.
    const runtime = new Runtime(props.runtime.name, props.runtime.family, { supportsInlineCode: true });
    const logGroup = new LogGroup(this, "Log", { retention, removalPolicy });
    const role = new Role(this, "Role", { assumedBy: new ServicePrincipal("lambda.amazonaws.com") });
    logGroup.grantWrite(role);
    const actions = ["servicequotas:GetAWSDefaultServiceQuota", "servicequotas:GetServiceQuota"];
    role.addToPolicy(new PolicyStatement({ actions, resources: ["*"] }));
    acceptWildcard(role, "Resource::*", "Service Quotas knows no resources in what reads a quota.");
    const reader = new LambdaFunction(this, "Function", {
      ...{ architecture, runtime, role, logGroup, timeout: Duration.seconds(60) },
      handler: "index.handler",
      code: Code.fromInline(READER),
    });
    const made = new CustomResource(this, "Value", {
      serviceToken: reader.functionArn,
      properties: { QuotaCode: CODE },
    });
    this.variables = { QUOTA_REQUESTS_PER_SECOND: made.getAttString("RequestsPerSecond") };
  }
}

/**
 * The reader's code. Lambda brings the AWS SDK with it. An account has a quota of its own only once it was changed
 * or counted; until then the default of the Region holds.
 */
export const READER = `
const { ServiceQuotasClient, GetServiceQuotaCommand, GetAWSDefaultServiceQuotaCommand } =
  require("@aws-sdk/client-service-quotas");
const LOOKS = 4;

// A right of a role that is seconds old may not hold everywhere yet.
const pause = () => new Promise((resolve) => setTimeout(resolve, 5_000));

const read = async (QuotaCode) => {
  const client = new ServiceQuotasClient({ maxAttempts: 2 });
  for (let look = 1; ; look++) {
    let denied = false;
    for (const Command of [GetServiceQuotaCommand, GetAWSDefaultServiceQuotaCommand]) {
      try {
        const { Quota } = await client.send(new Command({ ServiceCode: "apigateway", QuotaCode }));
        if (Quota && Quota.Value > 0 && !(denied && look < LOOKS)) return String(Quota.Value);
      } catch (fault) {
        denied ||= fault.name === "AccessDeniedException";
        console.log(JSON.stringify({ message: "quota not read", fault: String(fault) }));
      }
    }
    if (!denied || look === LOOKS) return "";
    await pause();
  }
};

exports.handler = async (event) => {
  const { RequestType, ResponseURL, StackId, RequestId, LogicalResourceId, ResourceProperties } = event;
  const RequestsPerSecond = RequestType === "Delete" ? "" : await read(ResourceProperties.QuotaCode);
  const PhysicalResourceId = ResourceProperties.QuotaCode;
  const body = JSON.stringify({
    Status: "SUCCESS", StackId, RequestId, LogicalResourceId, PhysicalResourceId, Data: { RequestsPerSecond },
  });
  await fetch(ResponseURL, { method: "PUT", headers: { "content-type": "" }, body });
};
`;
