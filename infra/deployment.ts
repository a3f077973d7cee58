import type { IAlarm } from "aws-cdk-lib/aws-cloudwatch";
import {
  type ILambdaDeploymentConfig,
  LambdaApplication,
  LambdaDeploymentConfig,
  LambdaDeploymentGroup,
} from "aws-cdk-lib/aws-codedeploy";
import type { Alias } from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";
import { pascalCase } from "../shared/settings/pascal-case.ts";
import type { FunctionName } from "../shared/settings/variables.ts";
import { accept } from "./accept.ts";

export interface DeploymentOptions {
  /**
   * How the runs move from the code of the deployment before to the new code.
   * @default LambdaDeploymentConfig.LINEAR_10PERCENT_EVERY_1MINUTE
   */
  readonly config?: ILambdaDeploymentConfig;
  /**
   * Alarms that stop the deployment and take it back, 10 at most (CodeDeploy). One that is on already stops every
   * deployment.
   * @default the router's alarms about crashes, 5xx, failed connects and forbidden sends
   */
  readonly alarms?: readonly IAlarm[];
}

export interface GradualDeploymentProps extends DeploymentOptions {
  /** What the runs of each function go through. */
  readonly aliases: Readonly<Partial<Record<FunctionName, Alias>>>;
  /** The construct whose children are the router's alarms. Absent if the router has none. */
  readonly routerAlarms?: Construct;
}

/** CodeDeploy quotas: alarms of one deployment group. */
const MOST_ALARMS = 10;

/**
 * The ids of the alarms that say of new code that it is bad. Not those of lanes, dead letters, throttles and cost: they
 * may be on for reasons that no older code mends, and then no deployment could begin.
 */
const TELLING: readonly string[] = [
  ...["IngestErrors", "ReceiptsErrors", "ConnectionsErrors", "ConsumeErrors", "SocketErrors"],
  ...["HttpServerErrors", "ConnectsFailed", "SocketExecutionErrors", "SendsForbidden"],
];

/** Moves the runs of each function to new code step by step, and back if an alarm goes on meanwhile. */
export class GradualDeployment extends Construct {
  constructor(scope: Construct, id: string, props: GradualDeploymentProps) {
    super(scope, id);
    const { aliases, config = LambdaDeploymentConfig.LINEAR_10PERCENT_EVERY_1MINUTE, routerAlarms } = props;
    const alarms = props.alarms ?? telling(routerAlarms);
    if (alarms.length > MOST_ALARMS)
      throw new Error(`deployment.alarms must be at most ${MOST_ALARMS} (CodeDeploy), got ${alarms.length}`);
    const application = new LambdaApplication(this, "Application");
    for (const [name, alias] of Object.entries(aliases)) {
      const group = new LambdaDeploymentGroup(this, pascalCase(name), {
        ...{ application, alias, deploymentConfig: config },
        alarms: [...alarms],
        autoRollback: {
          failedDeployment: true,
          stoppedDeployment: true,
          ...(alarms.length > 0 ? { deploymentInAlarm: true } : {}),
        },
      });
      const reason = "The policy that CodeDeploy has for this: it may move aliases and read alarms.";
      accept(group, CODE_DEPLOY_POLICY, reason);
    }
  }
}

const CODE_DEPLOY_POLICY =
  "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSCodeDeployRoleForLambdaLimited]";

const telling = (alarms: Construct | undefined): readonly IAlarm[] =>
  TELLING.flatMap((id) => {
    const child = alarms?.node.tryFindChild(id);
    return child && isAlarm(child) ? [child] : [];
  });

const isAlarm = (construct: object): construct is IAlarm => "alarmArn" in construct;
