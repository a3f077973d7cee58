import { RemovalPolicy } from "aws-cdk-lib";
import type { IDomainName, IHttpApi, IWebSocketApi } from "aws-cdk-lib/aws-apigatewayv2";
import type { Grant, IGrantable } from "aws-cdk-lib/aws-iam";
import { Key } from "aws-cdk-lib/aws-kms";
import {
  Architecture,
  type IFunction,
  type Function as LambdaFunction,
  Runtime,
  RuntimeFamily,
} from "aws-cdk-lib/aws-lambda";
import { RetentionDays } from "aws-cdk-lib/aws-logs";
import type { ISecret } from "aws-cdk-lib/aws-secretsmanager";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";
import { LANES, type Lane } from "../shared/protocol/lane.ts";
import { queueOutput } from "../shared/settings/queues.ts";
import { settings } from "../shared/settings/settings.ts";
import type { FunctionName } from "../shared/settings/variables.ts";
import { keepsStreams } from "../shared/streams/kept.ts";
import { AccountQuota } from "./account-quota.ts";
import { Alarms } from "./alarms.ts";
import { Auth } from "./auth.ts";
import { Connections } from "./connections.ts";
import { Consumer } from "./consumer.ts";
import { RouterDashboard } from "./dashboard.ts";
import { GradualDeployment } from "./deployment.ts";
import { hostOf } from "./domain.ts";
import type { Network } from "./function.ts";
import { RouterHttpApi } from "./http-api.ts";
import { Lanes } from "./lanes.ts";
import { RouterMetrics } from "./metrics.ts";
import { queryName } from "./name.ts";
import type { TagwireProps } from "./props.ts";
import { releaseOf } from "./release.ts";
import { RouterSocketApi } from "./socket-api.ts";
import { Story } from "./story.ts";
import { type RouterTables, Tables } from "./tables.ts";

/**
 * An event router: what comes in by `POST /v1/messages` goes to every WebSocket that it is for.
 *
 * @example
 * const router = new Tagwire(this, "Router", { settings: { lanes: { high: { concurrency: 16 } } } });
 * router.addPublisher(shop);
 */
export class Tagwire extends RouterMetrics {
  /** Where producers post, as in https://….amazonaws.com; without a slash at its end. */
  readonly httpUrl: string;
  /** Where clients connect, as in wss://….amazonaws.com/live. */
  readonly socketUrl: string;
  /** Signs tokens. Absent if an issuer does. */
  readonly secret?: ISecret;
  /** The queue of each lane. */
  readonly lanes: Readonly<Record<Lane, IQueue>>;
  /** Where messages are that failed for good. */
  readonly deadLetterQueue: IQueue;
  readonly tables: RouterTables;
  readonly functions: Readonly<Record<FunctionName, IFunction>>;
  readonly httpApi: IHttpApi;
  readonly socketApi: IWebSocketApi;
  /** The domain of `http.domain`. Absent without one, and on an emulator. */
  readonly httpDomain?: IDomainName;
  /** The domain of `socket.domain`. Absent without one, and on an emulator. */
  readonly socketDomain?: IDomainName;
  private readonly auth: Auth;

  constructor(scope: Construct, id: string, props: TagwireProps = {}) {
    super(scope, id);
    const chosen = settings(props.settings);
    const { emulator, alarms = {}, http = {}, socket = {} } = props;
    if (http.domain && socket.domain && hostOf(http.domain) === hostOf(socket.domain))
      throw new Error(
        `http.domain and socket.domain must be two host names, got ${hostOf(http.domain)} twice`,
      );
    const removalPolicy =
      props.removalPolicy ?? (emulator ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE);
    // By its ARN, so that no role of this stack ends up in the policy of a key of another one (aws-cdk#14213).
    const encryptionKey = props.encryptionKey && Key.fromKeyArn(this, "Key", props.encryptionKey.keyArn);
    const network = networkOf(props);
    const release = releaseOf(props, chosen);
    const kept = { removalPolicy, ...(encryptionKey ? { encryptionKey } : {}) };
    const shared = {
      settings: chosen,
      router: this.routerName,
      architecture: props.architecture ?? Architecture.ARM_64,
      runtime: nodeRuntime(props.runtime),
      tracing: props.tracing ?? false,
      logRetention: props.logRetention ?? RetentionDays.ONE_MONTH,
      ...kept,
      ...(emulator ? { emulator } : {}),
      ...(network ? { network } : {}),
      ...(release ? { release } : {}),
    };

    const auth = new Auth(this, "Auth", { ...kept, ...(props.auth ? { source: props.auth } : {}) });
    const lanes = new Lanes(this, "Lanes", { ...kept, settings: chosen });
    const tables = new Tables(this, "Tables", {
      ...{ ...kept, keepsStreams: keepsStreams(chosen) },
      ...(props.quotas ? { quotas: props.quotas } : {}),
      ...(props.warmThroughput && !emulator ? { warmThroughput: props.warmThroughput } : {}),
    });
    // What the settings say holds, and an emulator has no quota.
    const isSaid = props.settings?.quotaRequestsPerSecond !== undefined;
    const quota = isSaid || emulator ? undefined : new AccountQuota(this, "AccountQuota", shared);
    const quotaVariables = quota?.variables ?? {};
    const ingest = new RouterHttpApi(this, "HttpApi", {
      ...{ ...shared, options: http, auth, lanes, tables, quotaVariables },
    });
    const sockets = new RouterSocketApi(this, "SocketApi", { ...shared, options: socket, auth, tables });
    const reserve = props.reserveConcurrency ?? true;
    const consumer = new Consumer(this, "Consumer", {
      ...{ ...shared, reserve, lanes, tables, sockets, quotaVariables },
    });

    const closing = new Connections(this, "Connections", {
      ...{ ...shared, auth, tables, sockets },
      httpApi: ingest.api,
      ...(ingest.authorizer ? { authorizer: ingest.authorizer } : {}),
    });

    if (!emulator) {
      const functions = [
        ingest.ingest,
        ingest.receipts,
        closing.function,
        consumer.function,
        sockets.function,
      ];
      new Story(this, "Story", {
        name: queryName(this),
        logGroups: functions.map(({ logGroup }) => logGroup),
      });
    }

    this.auth = auth;
    this.httpUrl = ingest.url;
    this.socketUrl = sockets.url;
    if (auth.secret) this.secret = auth.secret;
    this.lanes = lanes.queues;
    this.deadLetterQueue = lanes.deadLetters;
    const { connections, subscriptions, receipts, quotas, streams } = tables;
    this.tables = { connections, subscriptions, receipts, quotas, ...(streams ? { streams } : {}) };
    this.functions = {
      ingest: ingest.ingest,
      receipts: ingest.receipts,
      connections: closing.function,
      consume: consumer.function,
      socket: sockets.function,
    };
    // CDK is not written for exactOptionalPropertyTypes.
    this.httpApi = ingest.api as IHttpApi;
    this.socketApi = sockets.api;
    if (ingest.domainName) this.httpDomain = ingest.domainName;
    if (sockets.domainName) this.socketDomain = sockets.domainName;
    const made = alarms
      ? new Alarms(this, "Alarms", {
          ...alarms,
          router: this,
          settings: chosen,
          ...(emulator ? { emulator } : {}),
        })
      : undefined;
    if (release?.isGradual)
      new GradualDeployment(this, "Deployment", {
        ...props.deployment,
        aliases: {
          ...ingest.aliases,
          ...(closing.alias ? { connections: closing.alias } : {}),
          ...(consumer.alias ? { consume: consumer.alias } : {}),
          ...(sockets.alias ? { socket: sockets.alias } : {}),
        },
        ...(made ? { routerAlarms: made } : {}),
      });
    if (props.dashboard ?? true) new RouterDashboard(this, "Dashboard", { router: this, settings: chosen });
  }

  /**
   * Lets a grantee read the secret, with which it signs its own tokens. Code that can sign can grant itself anything, so
   * this is for code that you trust; give others a token. If an issuer signs the tokens there is nothing to grant: the
   * grantee brings a token of the issuer.
   */
  grantPublish(grantee: IGrantable): Grant {
    return this.auth.grantSign(grantee);
  }

  /**
   * Makes a function a publisher: `grantPublish`, and the variables TAGWIRE_URL and TAGWIRE_SECRET_ID. If an issuer
   * signs the tokens, it gets TAGWIRE_URL alone.
   */
  addPublisher(publisher: LambdaFunction): Grant {
    publisher.addEnvironment("TAGWIRE_URL", this.httpUrl);
    if (this.secret) publisher.addEnvironment("TAGWIRE_SECRET_ID", this.secret.secretArn);
    return this.grantPublish(publisher);
  }

  /** What someone who uses the router wants to know, by the name of a stack output. */
  outputs(): Readonly<Record<string, string>> {
    const { connections, subscriptions, receipts, quotas, streams } = this.tables;
    const queues = LANES.map((lane) => [queueOutput(lane), this.lanes[lane].queueUrl]);
    return {
      HttpUrl: this.httpUrl,
      SocketUrl: this.socketUrl,
      ...(this.httpDomain ? { HttpDomainTarget: this.httpDomain.regionalDomainName } : {}),
      ...(this.socketDomain ? { SocketDomainTarget: this.socketDomain.regionalDomainName } : {}),
      ...(this.secret ? { SecretArn: this.secret.secretArn } : {}),
      DeadLetterQueueUrl: this.deadLetterQueue.queueUrl,
      ...Object.fromEntries(queues),
      ConnectionsTableName: connections.tableName,
      SubscriptionsTableName: subscriptions.tableName,
      ReceiptsTableName: receipts.tableName,
      QuotasTableName: quotas.tableName,
      ...(streams ? { StreamsTableName: streams.tableName } : {}),
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
