import {
  type HttpApi,
  HttpMethod,
  HttpRoute,
  HttpRouteKey,
  type IHttpRouteAuthorizer,
} from "aws-cdk-lib/aws-apigatewayv2";
import { HttpLambdaIntegration } from "aws-cdk-lib/aws-apigatewayv2-integrations";
import type { Alias, Function as LambdaFunction } from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";
import { settingsVariable } from "../shared/settings/former.ts";
import type { Settings } from "../shared/settings/schema.ts";
import { accept } from "./accept.ts";
import type { Auth } from "./auth.ts";
import { type FunctionOptions, RouterFunction } from "./function.ts";
import type { RouterSocketApi } from "./socket-api.ts";
import type { Tables } from "./tables.ts";

export interface ConnectionsProps extends FunctionOptions {
  readonly settings: Settings;
  readonly auth: Auth;
  readonly tables: Tables;
  readonly sockets: RouterSocketApi;
  readonly httpApi: HttpApi;
  /** @default the function alone looks at the token */
  readonly authorizer?: IHttpRouteAuthorizer;
}

/** What closes connections on request: DELETE /v1/users/{user}/connections and DELETE /v1/connections/{id}. */
export class Connections extends Construct {
  readonly function: LambdaFunction;
  readonly alias?: Alias;

  constructor(scope: Construct, id: string, props: ConnectionsProps) {
    super(scope, id);
    const { settings, auth, tables, sockets, httpApi } = props;
    const connections = new RouterFunction(this, "Connections", {
      ...props,
      name: "connections",
      settings: settings.advanced.functions.connections,
      environment: {
        CONNECTIONS_TABLE: tables.connections.tableName,
        SUBSCRIPTIONS_TABLE: tables.subscriptions.tableName,
        SOCKET_ENDPOINT: sockets.endpoint,
        TOKENS: auth.tokens,
        SETTINGS: settingsVariable(settings),
      },
    });
    this.function = connections.function;
    if (connections.alias) this.alias = connections.alias;
    tables.grant("connections", this.function);
    auth.grantVerify(this.function);
    sockets.grantConnections(connections.role, ["DELETE"]);

    const integration = new HttpLambdaIntegration("Connections", connections.target);
    const route = (name: string, path: string) =>
      new HttpRoute(this, name, {
        httpApi,
        routeKey: HttpRouteKey.with(path, HttpMethod.DELETE),
        integration,
        ...(props.authorizer ? { authorizer: props.authorizer } : {}),
      });
    route("DeleteUserConnections", "/v1/users/{user}/connections");
    route("DeleteConnection", "/v1/connections/{id}");
    accept(this, "AwsSolutions-APIG4", "The function verifies the token of every request.");
  }
}
