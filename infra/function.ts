import { Duration, type RemovalPolicy } from "aws-cdk-lib";
import type { ISecurityGroup, IVpc, SubnetSelection } from "aws-cdk-lib/aws-ec2";
import { PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import {
  Alias,
  type Architecture,
  type IFunction,
  type IVersion,
  Function as LambdaFunction,
  type RecursiveLoop,
  type Runtime,
  Tracing,
} from "aws-cdk-lib/aws-lambda";
import { LogGroup, type RetentionDays } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import type { FunctionSettings } from "../shared/settings/schema.ts";
import type { ENV, FunctionName, QuotaVariable, StreamVariable } from "../shared/settings/variables.ts";
import { acceptWildcard } from "./accept.ts";
import { codeOf } from "./bundle.ts";
import { checkVariables } from "./variables.ts";

/** Where in a VPC the functions run. */
export interface Network {
  readonly vpc: IVpc;
  /** @default the VPC's private subnets */
  readonly vpcSubnets?: SubnetSelection;
  /** @default a new group for each function that lets all out and nothing in */
  readonly securityGroups?: ISecurityGroup[];
}

/** What all functions share. */
export interface FunctionOptions {
  /** What the router is called in metrics. */
  readonly router: string;
  readonly architecture: Architecture;
  readonly runtime: Runtime;
  readonly tracing: boolean;
  readonly logRetention: RetentionDays;
  readonly removalPolicy: RemovalPolicy;
  /** What encrypts the queues, tables and secrets that the functions use. @default keys of AWS */
  readonly encryptionKey?: IKey;
  /** @default no VPC */
  readonly network?: Network;
  /** @default runs go to the newest code at once, and no container waits for them */
  readonly release?: Release;
}

/** How runs reach the code of a function. */
export interface Release {
  /** Whether they move to new code step by step. */
  readonly isGradual: boolean;
  /** Containers of each function that wait for runs. */
  readonly provisionedConcurrency: Readonly<Partial<Record<FunctionName, number>>>;
}

export interface RouterFunctionProps<F extends FunctionName> extends FunctionOptions {
  readonly name: F;
  readonly settings: FunctionSettings;
  /** Exactly what the function reads beside ROUTER; the compiler holds it to ENV. */
  readonly environment: Readonly<Record<Exclude<(typeof ENV)[F][number], "ROUTER">, string>> &
    Readonly<Partial<Record<StreamVariable | QuotaVariable, string>>>;
  /** @default no reserve */
  readonly reservedConcurrency?: number;
  /** @default Lambda stops a chain of runs that goes through the same queue 16 times */
  readonly recursiveLoop?: RecursiveLoop;
}

/** One of the functions with its log group, and a role that may write to that and nothing else. */
export class RouterFunction<F extends FunctionName> extends Construct {
  readonly function: LambdaFunction;
  /** What runs go through. Absent if they go to the newest code at once. */
  readonly alias?: Alias;
  /** What event sources and APIs MUST call: the alias, or else the function. */
  readonly target: IFunction;
  readonly role: Role;

  constructor(scope: Construct, id: string, props: RouterFunctionProps<F>) {
    super(scope, id);
    const { name, settings, tracing, logRetention, removalPolicy, network } = props;
    const logGroup = new LogGroup(this, "Log", { retention: logRetention, removalPolicy });
    const role = new Role(this, "Role", { assumedBy: new ServicePrincipal("lambda.amazonaws.com") });
    this.role = role;
    logGroup.grantWrite(role);
    props.encryptionKey?.grant(role, ...KEY_ACTIONS);
    if (network) role.addToPolicy(new PolicyStatement({ actions: NETWORK_ACTIONS, resources: ["*"] }));
    const environment = { ...props.environment, ROUTER: props.router };
    this.function = new LambdaFunction(this, "Function", {
      code: codeOf(name),
      handler: "index.handler",
      runtime: props.runtime,
      architecture: props.architecture,
      memorySize: settings.memoryMegabytes,
      timeout: Duration.seconds(settings.timeoutSeconds),
      environment,
      role,
      logGroup,
      tracing: tracing ? Tracing.ACTIVE : Tracing.DISABLED,
      ...network,
      ...(props.recursiveLoop === undefined ? {} : { recursiveLoop: props.recursiveLoop }),
      ...(props.reservedConcurrency === undefined
        ? {}
        : { reservedConcurrentExecutions: props.reservedConcurrency }),
    });
    checkVariables(this.function, name, environment);
    const provisioned = props.release?.provisionedConcurrency[name];
    if (props.release?.isGradual || provisioned !== undefined)
      this.alias = new Alias(this, "Live", {
        aliasName: "live",
        // CDK is not written for exactOptionalPropertyTypes.
        version: this.function.currentVersion as IVersion,
        ...(provisioned === undefined ? {} : { provisionedConcurrentExecutions: provisioned }),
      });
    this.target = (this.alias ?? this.function) as IFunction;
    const reasons = [
      ...(tracing ? ["X-Ray has no resources to name."] : []),
      ...(network ? ["Lambda makes the network interfaces, so their ids are not known before."] : []),
    ];
    if (reasons.length > 0) acceptWildcard(role, "Resource::*", reasons.join(" "));
  }
}

/** What SQS, DynamoDB and Secrets Manager do with a customer's key in the name of a function. */
export const KEY_ACTIONS = [
  "kms:Decrypt",
  "kms:DescribeKey",
  "kms:Encrypt",
  "kms:GenerateDataKey",
  "kms:ReEncryptFrom",
  "kms:ReEncryptTo",
];

/** What Lambda does in the name of a function in a VPC: AWSLambdaVPCAccessExecutionRole without its rights to logs. */
const NETWORK_ACTIONS = [
  "ec2:AssignPrivateIpAddresses",
  "ec2:CreateNetworkInterface",
  "ec2:DeleteNetworkInterface",
  "ec2:DescribeNetworkInterfaces",
  "ec2:DescribeSubnets",
  "ec2:UnassignPrivateIpAddresses",
];
