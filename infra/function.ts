import { Duration, type RemovalPolicy } from "aws-cdk-lib";
import { Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { Architecture, Function as LambdaFunction, Runtime, Tracing } from "aws-cdk-lib/aws-lambda";
import { LogGroup, type RetentionDays } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import type { ENV, FunctionName, FunctionSettings } from "../shared/settings.ts";
import { acceptWildcard } from "./accept.ts";
import { codeOf } from "./bundle.ts";

/** What all functions share. */
export interface FunctionOptions {
  readonly tracing: boolean;
  readonly logRetention: RetentionDays;
  readonly removalPolicy: RemovalPolicy;
  /** What encrypts the queues, tables and secrets that the functions use. @default keys of AWS */
  readonly encryptionKey?: IKey;
}

export interface RouterFunctionProps<F extends FunctionName> extends FunctionOptions {
  readonly name: F;
  readonly settings: FunctionSettings;
  /** Exactly what the function reads; the compiler holds it to ENV. */
  readonly environment: Readonly<Record<(typeof ENV)[F][number], string>>;
  /** @default no reserve */
  readonly reservedConcurrency?: number;
}

/** One of the functions with its log group, and a role that may write to that and nothing else. */
export class RouterFunction<F extends FunctionName> extends Construct {
  readonly function: LambdaFunction;
  readonly role: Role;

  constructor(scope: Construct, id: string, props: RouterFunctionProps<F>) {
    super(scope, id);
    const { name, settings, environment, tracing, logRetention, removalPolicy } = props;
    const logGroup = new LogGroup(this, "Log", { retention: logRetention, removalPolicy });
    const role = new Role(this, "Role", { assumedBy: new ServicePrincipal("lambda.amazonaws.com") });
    this.role = role;
    logGroup.grantWrite(role);
    props.encryptionKey?.grant(role, ...KEY_ACTIONS);
    this.function = new LambdaFunction(this, "Function", {
      code: codeOf(name),
      handler: "index.handler",
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: settings.memoryMegabytes,
      timeout: Duration.seconds(settings.timeoutSeconds),
      environment,
      role,
      logGroup,
      tracing: tracing ? Tracing.ACTIVE : Tracing.DISABLED,
      ...(props.reservedConcurrency === undefined
        ? {}
        : { reservedConcurrentExecutions: props.reservedConcurrency }),
    });
    if (tracing) acceptWildcard(role, "Resource::*", "X-Ray has no resources to name.");
  }
}

/** What SQS, DynamoDB and Secrets Manager do with a customer's key in the name of a function. */
const KEY_ACTIONS = [
  "kms:Decrypt",
  "kms:DescribeKey",
  "kms:Encrypt",
  "kms:GenerateDataKey",
  "kms:ReEncryptFrom",
  "kms:ReEncryptTo",
];
