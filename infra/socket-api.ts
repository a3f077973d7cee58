import { Stack } from "aws-cdk-lib";
import {
  type IDomainName,
  type ThrottleSettings,
  WebSocketApi,
  WebSocketRoute,
  WebSocketStage,
} from "aws-cdk-lib/aws-apigatewayv2";
import { WebSocketLambdaIntegration } from "aws-cdk-lib/aws-apigatewayv2-integrations";
import { type IRole, PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { Alias, Function as LambdaFunction } from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";
import { settingsVariable } from "../shared/settings/former.ts";
import type { Settings } from "../shared/settings/schema.ts";
import { accept, acceptWildcard } from "./accept.ts";
import type { Auth } from "./auth.ts";
import { Domain, type DomainOptions } from "./domain.ts";
import { type Emulator, executeApi } from "./emulator.ts";
import { type FunctionOptions, RouterFunction } from "./function.ts";
import { limitsOf } from "./http-api.ts";
import type { Tables } from "./tables.ts";

export interface SocketOptions {
  /**
   * Frames and connects that the stage takes, over all clients.
   * @default rateLimit 1000 a second, burstLimit 500 at once
   */
  readonly throttle?: ThrottleSettings;
  /**
   * A host name of yours for clients. The consumer posts to the API's own host, on execute-api, as before.
   * @default the API's own host
   */
  readonly domain?: DomainOptions | IDomainName;
  /**
   * The last part of the address on the API's own host: 1-128 of A-Z a-z 0-9 _ -.
   * @default live
   */
  readonly stageName?: string;
}

/** API Gateway: CreateStage. */
const STAGE_NAME = /^[A-Za-z0-9_-]{1,128}$/;

export interface SocketApiProps extends FunctionOptions {
  readonly settings: Settings;
  readonly options: SocketOptions;
  readonly auth: Auth;
  readonly tables: Tables;
  /** @default AWS */
  readonly emulator?: Emulator;
}

/** The WebSocket API in front of the socket function. */
export class RouterSocketApi extends Construct {
  readonly function: LambdaFunction;
  readonly alias?: Alias;
  readonly api: WebSocketApi;
  /** @default none */
  readonly domainName?: IDomainName;
  /** Where a client connects. */
  readonly url: string;
  /** Where the consumer posts. */
  readonly endpoint: string;
  private readonly stage: WebSocketStage;

  constructor(scope: Construct, id: string, props: SocketApiProps) {
    super(scope, id);
    const { settings, options, auth, tables, emulator } = props;
    const { stageName = "live" } = options;
    if (!STAGE_NAME.test(stageName))
      throw new Error(`socket.stageName must be 1-128 of A-Z a-z 0-9 _ -, got ${JSON.stringify(stageName)}`);
    this.api = new WebSocketApi(this, "Api", { routeSelectionExpression: "$request.body.type" });
    const emulated = emulator && executeApi(emulator, this.api.apiId, stageName);
    // Not the stage's own property: the stage waits for the routes, and they for the function that reads this.
    const { region, urlSuffix } = Stack.of(this);
    this.endpoint = emulated ?? `https://${this.api.apiId}.execute-api.${region}.${urlSuffix}/${stageName}`;
    const socket = new RouterFunction(this, "Socket", {
      ...props,
      name: "socket",
      settings: settings.advanced.functions.socket,
      environment: {
        CONNECTIONS_TABLE: tables.connections.tableName,
        SUBSCRIPTIONS_TABLE: tables.subscriptions.tableName,
        ...tables.streamVariables,
        SOCKET_ENDPOINT: this.endpoint,
        TOKENS: auth.tokens,
        SETTINGS: settingsVariable(settings),
      },
    });
    this.function = socket.function;
    if (socket.alias) this.alias = socket.alias;
    tables.grant("socket", this.function);
    auth.grantVerify(this.function);

    const integration = new WebSocketLambdaIntegration("Socket", socket.target);
    const route = (name: string, routeKey: string, returnResponse = false) =>
      new WebSocketRoute(this, name, { webSocketApi: this.api, routeKey, integration, returnResponse });
    const routes = [
      route("Connect", "$connect"),
      route("Disconnect", "$disconnect"),
      // The reply to a frame is what the function returns. An emulator sends it back without being told.
      route("Default", "$default", !emulator),
    ];
    this.stage = new WebSocketStage(this, "Stage", {
      webSocketApi: this.api,
      stageName,
      autoDeploy: true,
      throttle: limitsOf(options.throttle),
    });
    // What is deployed first is whole.
    this.stage.node.addDependency(...routes);

    // It closes the sockets of connections that have ended, after a last frame.
    this.grantConnections(socket.role, ["POST", "DELETE"]);
    this.url = emulated?.replace(/^http/, "ws") ?? this.stage.url;
    if (options.domain && !emulator) {
      const { api, stage } = this;
      const { host, domainName } = new Domain(this, "Domain", { domain: options.domain, api, stage });
      this.domainName = domainName;
      this.url = `wss://${host}`;
    }

    const token =
      "The function verifies the token of $connect; the other routes belong to an open connection.";
    accept(this, "AwsSolutions-APIG4", token);
    const log =
      "An access log needs a role for the whole account, and it would hold the tokens of the query.";
    accept(this.stage, "AwsSolutions-APIG1", log);
  }

  /** Lets a role call connections by these methods: any of them, since their ids are made as clients come. */
  grantConnections(role: IRole, methods: readonly ("POST" | "GET" | "DELETE")[]): void {
    const { partition, region, account } = Stack.of(this);
    const api = `${this.api.apiId}/${this.stage.stageName}`;
    const resources = methods.map(
      (method) => `arn:${partition}:execute-api:${region}:${account}:${api}/${method}/@connections/*`,
    );
    role.addToPrincipalPolicy(new PolicyStatement({ actions: ["execute-api:ManageConnections"], resources }));
    const reason = "Connection ids are made as clients come; the API, the stage and the methods are named.";
    for (const connections of resources) acceptWildcard(role, `Resource::${connections}`, reason);
  }
}
