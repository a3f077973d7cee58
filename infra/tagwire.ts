import { Aws, Fn, RemovalPolicy } from "aws-cdk-lib";
import type { ISecurityGroup, IVpc, SubnetSelection } from "aws-cdk-lib/aws-ec2";
import { type IKey, Key } from "aws-cdk-lib/aws-kms";
import {
  Architecture,
  type Function as LambdaFunction,
  Runtime,
  RuntimeFamily,
} from "aws-cdk-lib/aws-lambda";
import { RetentionDays } from "aws-cdk-lib/aws-logs";
import type { ISecret } from "aws-cdk-lib/aws-secretsmanager";
import { Construct } from "constructs";
import { LANES } from "../shared/protocol/lane.ts";
import type { Overrides } from "../shared/settings/schema.ts";
import { settings } from "../shared/settings/settings.ts";
import { type AlarmOptions, Alarms } from "./alarms.ts";
import { Auth, type Issuer, type SharedSecret } from "./auth.ts";
import { Consumer } from "./consumer.ts";
import { RouterDashboard } from "./dashboard.ts";
import type { Emulator } from "./emulator.ts";
import type { Network } from "./function.ts";
import { type HttpOptions, IngestApi } from "./ingest-api.ts";
import { Lanes } from "./lanes.ts";
import { nameOf, routerName } from "./name.ts";
import { SocketApi, type SocketOptions } from "./socket-api.ts";
import { Tables } from "./tables.ts";

export interface TagwireProps {
  /**
   * Changes to the settings: any part of them, at any depth. `undefined` is the default. What stands under `advanced` is
   * not stable. Throws SETTINGS_INVALID, which names every setting that is unknown or wrong and every rule that is broken.
   * @default the defaults that docs/settings.md lists
   */
  readonly settings?: Overrides;
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
   * Whether the consumer's concurrency is taken out of the account's. An account needs 100 to spare beside it;
   * a young one may have 10 in all. Without it the lanes are still braked, but other functions can crowd them out.
   * @default true
   */
  readonly reserveConcurrency?: boolean;
  /**
   * Encrypts queues, tables and the secret. It may be of another stack. Only the roles of the router get rights to it,
   * and nothing is added to the key's own policy: that must leave rights to the roles of the account, as the policy
   * that CDK and AWS give to a new key does.
   * @default keys that AWS owns or manages, at no cost
   */
  readonly encryptionKey?: IKey;
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
  /** @default alarms that tell nobody */
  readonly alarms?: AlarmOptions;
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
   * What the names of the queues and of the secret begin with: 1-58 of A-Z a-z 0-9 _ -.
   * @default made of the construct's path
   */
  readonly name?: string;
  /**
   * The emulator that this is deployed to. What emulators refuse is left out then.
   * @default AWS
   */
  readonly emulator?: Emulator;
}

/**
 * An event router: what comes in by `POST /v1/messages` goes to every WebSocket that it is for.
 *
 * @example
 * const router = new Tagwire(this, "Router", { settings: { lanes: { high: { concurrency: 16 } } } });
 * router.grantPublish(shop);
 */
export class Tagwire extends Construct {
  /** Where producers post, as in https://….amazonaws.com; without a slash at its end. */
  readonly httpUrl: string;
  /** Where clients connect, as in wss://….amazonaws.com/live. */
  readonly socketUrl: string;
  /** Signs tokens. Absent where an issuer does. */
  readonly secret?: ISecret;
  readonly lanes: Lanes;
  readonly tables: Tables;
  readonly consumer: Consumer;
  readonly ingestApi: IngestApi;
  readonly socketApi: SocketApi;

  constructor(scope: Construct, id: string, props: TagwireProps = {}) {
    super(scope, id);
    const chosen = settings(props.settings);
    const { emulator } = props;
    const removalPolicy =
      props.removalPolicy ?? (emulator ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE);
    const name = `${nameOf(this, props.name)}-${stackMark()}`;
    const router = routerName(this);
    // By its ARN, so that no role of this stack ends up in the policy of a key of another one (aws-cdk#14213).
    const encryptionKey = props.encryptionKey && Key.fromKeyArn(this, "Key", props.encryptionKey.keyArn);
    const network = networkOf(props);
    const kept = { removalPolicy, ...(encryptionKey ? { encryptionKey } : {}) };
    const shared = {
      settings: chosen,
      name,
      router,
      architecture: props.architecture ?? Architecture.ARM_64,
      runtime: nodeRuntime(props.runtime),
      tracing: props.tracing ?? false,
      logRetention: props.logRetention ?? RetentionDays.ONE_MONTH,
      ...kept,
      ...(emulator ? { emulator } : {}),
      ...(network ? { network } : {}),
    };

    const auth = new Auth(this, "Auth", {
      ...kept,
      secretName: `${name}-tokens`,
      ...(props.auth ? { source: props.auth } : {}),
    });
    const lanes = new Lanes(this, "Lanes", { ...kept, settings: chosen, name });
    const tables = new Tables(this, "Tables", kept);
    const ingest = new IngestApi(this, "IngestApi", {
      ...shared,
      options: props.http ?? {},
      auth,
      lanes,
      tables,
    });
    const sockets = new SocketApi(this, "SocketApi", {
      ...shared,
      options: props.socket ?? {},
      auth,
      tables,
    });
    const reserve = props.reserveConcurrency ?? true;
    const consumer = new Consumer(this, "Consumer", { ...shared, reserve, lanes, tables, sockets });
    new Alarms(this, "Alarms", { options: props.alarms ?? {}, router, lanes, consumer, ingest, sockets });
    if (props.dashboard ?? true) new RouterDashboard(this, "Dashboard", { router, lanes, consumer, ingest });

    this.httpUrl = ingest.url;
    this.socketUrl = sockets.url;
    if (auth.secret) this.secret = auth.secret;
    this.lanes = lanes;
    this.tables = tables;
    this.consumer = consumer;
    this.ingestApi = ingest;
    this.socketApi = sockets;
  }

  /**
   * Lets a function of the same app send messages: it gets the variables TAGWIRE_URL and TAGWIRE_SECRET_ID, and may
   * read that secret to sign its token. Whoever can sign can grant itself anything, so this is for functions that
   * you trust; give others a token. Where an issuer signs, the function gets the URL alone and brings its own token.
   */
  grantPublish(grantee: LambdaFunction): void {
    grantee.addEnvironment("TAGWIRE_URL", this.httpUrl);
    if (!this.secret) return;
    grantee.addEnvironment("TAGWIRE_SECRET_ID", this.secret.secretArn);
    this.secret.grantRead(grantee);
  }

  /** What someone who uses the router wants to know, by the name of a stack output. */
  outputs(): Readonly<Record<string, string>> {
    const { connections, subscriptions, receipts } = this.tables;
    const queues = LANES.map((lane) => [`${capital(lane)}QueueName`, this.lanes.queues[lane].queueName]);
    return {
      HttpUrl: this.httpUrl,
      SocketUrl: this.socketUrl,
      ...(this.secret ? { SecretName: this.secret.secretName } : {}),
      DeadLetterQueueUrl: this.lanes.deadLetters.queueUrl,
      ...Object.fromEntries(queues),
      ConnectionsTableName: connections.tableName,
      SubscriptionsTableName: subscriptions.tableName,
      ReceiptsTableName: receipts.tableName,
    };
  }
}

function networkOf({ vpc, vpcSubnets, securityGroups }: TagwireProps): Network | undefined {
  if (vpc)
    return { vpc, ...(vpcSubnets ? { vpcSubnets } : {}), ...(securityGroups ? { securityGroups } : {}) };
  if (vpcSubnets || securityGroups) throw new Error("vpcSubnets and securityGroups need a vpc");
  return undefined;
}

function nodeRuntime(runtime: Runtime = Runtime.NODEJS_24_X): Runtime {
  if (runtime.family === RuntimeFamily.NODEJS) return runtime;
  throw new Error(`runtime must be one of Node.js, got ${runtime.name}`);
}

const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);

/** Eight hex digits that each creation of the stack has for itself: what one leaves behind is not in the next one's way. */
const stackMark = () => Fn.select(0, Fn.split("-", Fn.select(2, Fn.split("/", Aws.STACK_ID))));
