import { Stack } from "aws-cdk-lib";
import { WebSocketApi, WebSocketStage } from "aws-cdk-lib/aws-apigatewayv2";
import { WebSocketLambdaIntegration } from "aws-cdk-lib/aws-apigatewayv2-integrations";
import { type IRole, PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { Function as LambdaFunction } from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";
import type { Settings } from "../shared/settings/schema.ts";
import { accept, acceptWildcard } from "./accept.ts";
import type { Auth } from "./auth.ts";
import { type Emulator, executeApi } from "./emulator.ts";
import { type FunctionOptions, RouterFunction } from "./function.ts";
import type { Throttle } from "./ingest-api.ts";
import type { Tables } from "./tables.ts";

export interface SocketOptions {
  /**
   * Frames and connects that the stage takes, over all clients.
   * @default 1000 a second, 500 at once
   */
  readonly throttle?: Throttle;
  /**
   * The last part of the address: 1-128 of A-Z a-z 0-9 _ -.
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
export class SocketApi extends Construct {
  readonly function: LambdaFunction;
  readonly api: WebSocketApi;
  /** Where a client connects. */
  readonly url: string;
  /** Where the consumer posts. */
  readonly endpoint: string;
  private readonly stage: WebSocketStage;

  constructor(scope: Construct, id: string, props: SocketApiProps) {
    super(scope, id);
    const { settings, options, auth, tables, emulator } = props;
    this.function = new RouterFunction(this, "Socket", {
      ...props,
      name: "socket",
      settings: settings.advanced.functions.socket,
      environment: {
        CONNECTIONS_TABLE: tables.connections.tableName,
        SUBSCRIPTIONS_TABLE: tables.subscriptions.tableName,
        TOKENS: auth.tokens,
        SETTINGS: JSON.stringify(settings),
      },
    }).function;
    tables.grant("socket", this.function);
    auth.grantVerify(this.function);

    const integration = new WebSocketLambdaIntegration("Socket", this.function);
    this.api = new WebSocketApi(this, "Api", { routeSelectionExpression: "$request.body.type" });
    const routes = [
      this.api.addRoute("$connect", { integration }),
      this.api.addRoute("$disconnect", { integration }),
      // The reply to a frame is what the function returns. An emulator sends it back without being told.
      this.api.addRoute("$default", { integration, returnResponse: !emulator }),
    ];
    const { stageName = "live" } = options;
    if (!STAGE_NAME.test(stageName))
      throw new Error(`socket.stageName must be 1-128 of A-Z a-z 0-9 _ -, got ${JSON.stringify(stageName)}`);
    const { rate, burst } = options.throttle ?? { rate: 1_000, burst: 500 };
    this.stage = new WebSocketStage(this, "Stage", {
      webSocketApi: this.api,
      stageName,
      autoDeploy: true,
      throttle: { rateLimit: rate, burstLimit: burst },
    });
    // What is deployed first is whole.
    this.stage.node.addDependency(...routes);

    const emulated = emulator && executeApi(emulator, this.api.apiId, this.stage.stageName);
    this.endpoint = emulated ?? this.stage.callbackUrl;
    this.url = emulated?.replace(/^http/, "ws") ?? this.stage.url;

    const token =
      "The function verifies the token of $connect; the other routes belong to an open connection.";
    accept(this.api, "AwsSolutions-APIG4", token);
    const log =
      "An access log needs a role for the whole account, and it would hold the tokens of the query.";
    accept(this.stage, "AwsSolutions-APIG1", log);
  }

  /** Lets a role post to connections and ask for them: any of them, since their ids are made as they come. */
  grantPost(role: IRole): void {
    const { partition, region, account } = Stack.of(this);
    const api = `${this.api.apiId}/${this.stage.stageName}`;
    // POST sends a frame; GET asks whether the gateway is up.
    const resources = ["POST", "GET"].map(
      (method) => `arn:${partition}:execute-api:${region}:${account}:${api}/${method}/@connections/*`,
    );
    role.addToPrincipalPolicy(new PolicyStatement({ actions: ["execute-api:ManageConnections"], resources }));
    const reason = "Connection ids are made as clients come; the API, the stage and the methods are named.";
    for (const connections of resources) acceptWildcard(role, `Resource::${connections}`, reason);
  }
}
