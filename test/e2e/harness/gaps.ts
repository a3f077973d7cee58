import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CloudFormationClient, DescribeStackResourcesCommand } from "@aws-sdk/client-cloudformation";
import { DynamoDBClient, UpdateTimeToLiveCommand } from "@aws-sdk/client-dynamodb";
import { GetRolePolicyCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { LambdaClient, PutFunctionConcurrencyCommand } from "@aws-sdk/client-lambda";
import { DescribeSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { clientConfig } from "./aws.ts";

/*
 * What the emulator's CloudFormation takes from a template and does not do, and the calls that do it. Sources are of
 * MiniStack 1.5.33, where no other file is named: ministack/services/cloudformation/provisioners.py. Releases before 1.5
 * drop RedrivePolicy too, and empty queues and tables on an update.
 *
 * Not done either, and not mended:
 * - Without an effect on the path: point-in-time recovery and encryption of tables (_ddb_create), access logs of a
 *   stage (_apigw_v2_stage_props).
 * - Refused, so the stack leaves it out where context `tagwire:endpoint` is given: AWS::ApiGatewayV2::RouteResponse
 *   (not in _RESOURCE_HANDLERS), alarms with metric math.
 * - Out of reach of a call: connectedAt is the time of each event (services/apigateway.py, _ws_request_context), so a
 *   $disconnect never matches its connection. Its rows stay until the first 410.
 */
interface Gap {
  /** A property of this type of resource… */
  readonly type: string;
  readonly property: string;
  /** …that this sets, where the template has it. */
  close(resource: Resource, value: never): Promise<unknown>;
}

interface Resource {
  /** The physical id. */
  readonly id: string;
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

const gapsOf = (endpoint: string, resources: Readonly<Record<string, Resource>>): readonly Gap[] => {
  const config = clientConfig(endpoint);
  const lambda = new LambdaClient(config);
  const tables = new DynamoDBClient(config);
  const iam = new IAMClient(config);
  const secrets = new SecretsManagerClient(config);
  return [
    {
      // _lambda_create: "concurrency": None
      type: "AWS::Lambda::Function",
      property: "ReservedConcurrentExecutions",
      close: ({ id }, ReservedConcurrentExecutions: number) =>
        lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: id, ReservedConcurrentExecutions })),
    },
    {
      // _ddb_global_table_create hands it on to _ddb_create, which never reads it.
      type: "AWS::DynamoDB::GlobalTable",
      property: "TimeToLiveSpecification",
      close: ({ id }, { AttributeName }: { AttributeName: string }) =>
        tables.send(
          new UpdateTimeToLiveCommand({
            TableName: id,
            TimeToLiveSpecification: { Enabled: true, AttributeName },
          }),
        ),
    },
    {
      type: "AWS::IAM::Policy",
      property: "PolicyDocument",
      close: async ({ properties }) => {
        const { PolicyName, Roles } = properties as { PolicyName: string; Roles: { Ref: string }[] };
        const arns = await arnsOf(secrets, resources);
        for (const { Ref } of Roles) {
          const policy = { RoleName: resources[Ref]?.id, PolicyName };
          const { PolicyDocument = "" } = await iam.send(new GetRolePolicyCommand(policy));
          const mended = mendPolicy(decodeURIComponent(PolicyDocument), arns);
          await iam.send(new PutRolePolicyCommand({ ...policy, PolicyDocument: mended }));
        }
      },
    },
  ];
};

/**
 * _sm_secret_create answers the name where Ref is the ARN, so a policy names no secret. And core/iam_actions.py asks
 * for sqs:SendMessageBatch, where AWS goes by sqs:SendMessage for both.
 */
const mendPolicy = (document: string, secretArns: ReadonlyMap<string, string>): string =>
  JSON.stringify(JSON.parse(document), (key, value) => {
    if (key === "Action" && [value].flat().includes("sqs:SendMessage")) {
      return [value, "sqs:SendMessageBatch"].flat();
    }
    return secretArns.get(value) ?? value;
  });

async function arnsOf(client: SecretsManagerClient, resources: Readonly<Record<string, Resource>>) {
  const named = Object.values(resources).filter(({ type }) => type === "AWS::SecretsManager::Secret");
  const pairs = named.map(async ({ id }) => {
    const { ARN = "" } = await client.send(new DescribeSecretCommand({ SecretId: id }));
    return [id, ARN] as const;
  });
  return new Map(await Promise.all(pairs));
}

interface Template {
  readonly Resources: Readonly<Record<string, { Type: string; Properties?: Resource["properties"] }>>;
}

/** Sets on a stack's resources what CloudFormation left out, to what its template says. */
export async function closeGaps(endpoint: string, stack: string, assembly: string): Promise<void> {
  const template: Template = JSON.parse(readFileSync(join(assembly, `${stack}.template.json`), "utf8"));
  const { StackResources = [] } = await new CloudFormationClient(clientConfig(endpoint)).send(
    new DescribeStackResourcesCommand({ StackName: stack }),
  );
  const resources = Object.fromEntries(
    StackResources.map(({ LogicalResourceId = "", PhysicalResourceId = "", ResourceType = "" }) => {
      const properties = template.Resources[LogicalResourceId]?.Properties ?? {};
      return [LogicalResourceId, { id: PhysicalResourceId, type: ResourceType, properties }];
    }),
  );
  for (const { type, property, close } of gapsOf(endpoint, resources)) {
    for (const resource of Object.values(resources)) {
      const value = resource.properties[property];
      if (resource.type === type && value !== undefined) await close(resource, value as never);
    }
  }
}
