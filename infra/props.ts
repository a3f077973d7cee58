import type { RemovalPolicy } from "aws-cdk-lib";
import type { ITable, WarmThroughput } from "aws-cdk-lib/aws-dynamodb";
import type { ISecurityGroup, IVpc, SubnetSelection } from "aws-cdk-lib/aws-ec2";
import type { IKey } from "aws-cdk-lib/aws-kms";
import type { Architecture, Runtime } from "aws-cdk-lib/aws-lambda";
import type { RetentionDays } from "aws-cdk-lib/aws-logs";
import type { SettingsOverrides } from "../shared/settings/schema.ts";
import type { FunctionName } from "../shared/settings/variables.ts";
import type { AlarmOptions } from "./alarms.ts";
import type { Issuer, SharedSecret } from "./auth.ts";
import type { DeploymentOptions } from "./deployment.ts";
import type { Emulator } from "./emulator.ts";
import type { HttpOptions } from "./http-api.ts";
import type { SocketOptions } from "./socket-api.ts";

export interface TagwireProps {
  /**
   * Changes to the settings: any part of them, at any depth. `undefined` is the default. What stands under `advanced` is
   * not stable. Without `quotaRequestsPerSecond` the router counts on what Service Quotas says at the deploy. Throws
   * SETTINGS_INVALID, which names every setting that is unknown or wrong and every rule that is broken.
   * @default the defaults that docs/settings.md lists
   */
  readonly settings?: SettingsOverrides;
  /**
   * Whose tokens are trusted: those signed with a secret, or those of an issuer that publishes its keys.
   * @default a secret that is made in Secrets Manager
   */
  readonly auth?: SharedSecret | Issuer;
  /** @default the defaults of HttpOptions */
  readonly http?: HttpOptions;
  /** @default the defaults of SocketOptions */
  readonly socket?: SocketOptions;
  /**
   * The table of another router of the account and Region, as its `tables.quotas`: the two then share the requests that
   * API Gateway lets the account make. Without it each takes the whole of its part.
   * @default a table of its own
   */
  readonly quotas?: ITable;
  /**
   * Whether the consumer's concurrency is taken out of the account's. An account needs 100 to spare beside it;
   * a young one may have 10 in all. Without it the lanes are still braked, but other functions can crowd them out.
   * @default true
   */
  readonly reserveConcurrency?: boolean;
  /**
   * Whether CodeDeploy moves the runs of the functions to new code step by step, and takes it back if an alarm goes on.
   * Old and new code run side by side meanwhile. An emulator has no CodeDeploy: it is left out there.
   * @default none: runs go to the new code at once
   */
  readonly deployment?: DeploymentOptions;
  /**
   * Containers of a function that wait for runs, so that none begins with a cold start (Lambda: provisioned concurrency).
   * They are billed by the hour. Those of consume are part of its reserve. Left out on an emulator.
   * @default none
   */
  readonly provisionedConcurrency?: Readonly<Partial<Record<FunctionName, number>>>;
  /**
   * Encrypts queues, tables and the secret. It may be of another stack. Only the roles of the router get rights to it,
   * and nothing is added to the key's own policy: that must leave rights to the roles of the account, as the policy
   * that CDK and AWS give to a new key does.
   * @default keys that AWS owns or manages, at no cost
   */
  readonly encryptionKey?: IKey;
  /**
   * What the tables of connections and of their tags take from the first second on. By itself an on-demand table takes
   * twice its highest peak, and 4,000 writes and 12,000 reads a second at least, so a mass reconnect may find too little.
   * DynamoDB charges once for what is above that; the values can be raised, not lowered. Left out on an emulator.
   * @default what DynamoDB gives
   */
  readonly warmThroughput?: WarmThroughput;
  /**
   * Whether the functions send traces to X-Ray.
   * @default false
   */
  readonly tracing?: boolean;
  /** @default one month */
  readonly logRetention?: RetentionDays;
  /**
   * What becomes of receipts, dead letters, logs and the secret when the stack goes.
   * @default RETAIN_ON_UPDATE_OR_DELETE: they stay, but for those of a first deploy that failed; DESTROY on an emulator
   */
  readonly removalPolicy?: RemovalPolicy;
  /**
   * Whom alarms tell and when, or false for none.
   * @default alarms that tell nobody
   */
  readonly alarms?: AlarmOptions | false;
  /**
   * Whether there is a dashboard.
   * @default true
   */
  readonly dashboard?: boolean;
  /**
   * The VPC that the functions run in. It needs a way to SQS, DynamoDB, Secrets Manager and the @connections API of
   * API Gateway; docs/deploy.md says which endpoints that takes.
   * @default none: the functions reach AWS directly
   */
  readonly vpc?: IVpc;
  /** @default the VPC's private subnets */
  readonly vpcSubnets?: SubnetSelection;
  /** @default a new group for each function that lets all out and nothing in */
  readonly securityGroups?: ISecurityGroup[];
  /**
   * What the functions run on. Both give the same answers; a Region may have no arm64.
   * @default Architecture.ARM_64
   */
  readonly architecture?: Architecture;
  /**
   * The functions are bundled for Node.js 20 and later.
   * @default Runtime.NODEJS_24_X
   */
  readonly runtime?: Runtime;
  /**
   * The emulator that this is deployed to. What emulators refuse is left out then.
   * @default AWS
   */
  readonly emulator?: Emulator;
}
