import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CloudFormationClient, DescribeStackResourcesCommand } from "@aws-sdk/client-cloudformation";
import {
  DynamoDBClient,
  type TimeToLiveSpecification,
  UpdateTimeToLiveCommand,
} from "@aws-sdk/client-dynamodb";
import { LambdaClient, PutFunctionConcurrencyCommand } from "@aws-sdk/client-lambda";
import { clientConfig } from "./aws.ts";

/** A property that the emulator's CloudFormation takes and drops, and the call that sets it. */
interface Gap<T> {
  readonly type: string;
  readonly property: string;
  set(physicalId: string, value: T): Promise<unknown>;
}

/*
 * Sources are of MiniStack 1.5.33, ministack/services/cloudformation/provisioners.py. To delete an entry, deploy
 * without it and ask the service for the property.
 *
 * Dropped too, but without an effect on what a client sees: point-in-time recovery and encryption of tables (same
 * function), access logs of a stage. Refused, and so left out by the stack's context `tagwire:endpoint`:
 * AWS::ApiGatewayV2::RouteResponse, alarms with metric math (same file, _RESOURCE_HANDLERS and _alarm_record).
 * No call can mend that `connectedAt` is the time of each event (services/apigateway.py, _ws_request_context):
 * a $disconnect never matches its connection there, so its rows stay until the first 410.
 */
const gaps = (endpoint: string): readonly Gap<never>[] => {
  const lambda = new LambdaClient(clientConfig(endpoint));
  const tables = new DynamoDBClient(clientConfig(endpoint));
  return [
    {
      // _lambda_create sets "concurrency": None, and _lambda_update leaves it.
      type: "AWS::Lambda::Function",
      property: "ReservedConcurrentExecutions",
      set: (FunctionName: string, ReservedConcurrentExecutions: number) =>
        lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions })),
    },
    {
      // _ddb_global_table_create says it passes TimeToLiveSpecification on to _ddb_create, which never reads it.
      type: "AWS::DynamoDB::GlobalTable",
      property: "TimeToLiveSpecification",
      set: (TableName: string, spec: Partial<TimeToLiveSpecification>) =>
        tables.send(
          new UpdateTimeToLiveCommand({
            TableName,
            TimeToLiveSpecification: { Enabled: true, AttributeName: undefined, ...spec },
          }),
        ),
    },
  ];
};

interface Template {
  readonly Resources: Readonly<Record<string, { readonly Properties?: Readonly<Record<string, unknown>> }>>;
}

/** Sets what CloudFormation dropped on a stack's resources to what its template says. */
export async function closeGaps(endpoint: string, stack: string, assembly: string): Promise<void> {
  const { Resources }: Template = JSON.parse(readFileSync(join(assembly, `${stack}.template.json`), "utf8"));
  const { StackResources = [] } = await new CloudFormationClient(clientConfig(endpoint)).send(
    new DescribeStackResourcesCommand({ StackName: stack }),
  );
  for (const { type, property, set } of gaps(endpoint)) {
    for (const { ResourceType, LogicalResourceId = "", PhysicalResourceId = "" } of StackResources) {
      const value = Resources[LogicalResourceId]?.Properties?.[property];
      if (ResourceType === type && value !== undefined) await set(PhysicalResourceId, value as never);
    }
  }
}
