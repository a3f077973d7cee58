import { Duration, Names } from "aws-cdk-lib";
import { AccessLogFormat } from "aws-cdk-lib/aws-apigateway";
import {
  CorsHttpMethod,
  HttpApi,
  HttpMethod,
  HttpRoute,
  HttpRouteKey,
  HttpStage,
  type IDomainName,
  type IHttpRouteAuthorizer,
  LogGroupLogDestination,
  type ThrottleSettings,
} from "aws-cdk-lib/aws-apigatewayv2";
import { HttpJwtAuthorizer } from "aws-cdk-lib/aws-apigatewayv2-authorizers";
import { HttpLambdaIntegration } from "aws-cdk-lib/aws-apigatewayv2-integrations";
import type { Alias, Function as LambdaFunction } from "aws-cdk-lib/aws-lambda";
import { type ILogGroup, LogGroup } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import { PRIORITIES } from "../shared/protocol/lane.ts";
import { settingsVariable } from "../shared/settings/former.ts";
import type { Settings } from "../shared/settings/schema.ts";
import type { QuotaVariable } from "../shared/settings/variables.ts";
import { accept } from "./accept.ts";
import type { Auth } from "./auth.ts";
import { Domain, type DomainOptions } from "./domain.ts";
import { type Emulator, executeApi } from "./emulator.ts";
import { type FunctionOptions, RouterFunction } from "./function.ts";
import type { Lanes } from "./lanes.ts";
import type { Tables } from "./tables.ts";

export interface HttpOptions {
  /**
   * Requests that the stage takes, over all callers; more get 429. The account has a quota above it for all its APIs.
   * @default rateLimit 1000 a second, burstLimit 500 at once
   */
  readonly throttle?: ThrottleSettings;
  /**
   * A host name of yours for producers.
   * @default the API's own host, on execute-api
   */
  readonly domain?: DomainOptions | IDomainName;
  /**
   * Web pages that may call, by origin. A call needs a token in a header, which no browser adds by itself.
   * @default any
   */
  readonly corsOrigins?: readonly string[];
  /**
   * Request headers that web pages may send.
   * @default authorization, content-type, traceparent, tracestate, idempotency-key
   */
  readonly corsHeaders?: readonly string[];
  /**
   * Whether there is a log line for each request, or the log group that it goes to. It names no token and no message.
   * @default true: a log group of its own
   */
  readonly accessLog?: boolean | ILogGroup;
  /**
   * Whether API Gateway refuses requests without a token of the issuer, so that no function runs for them. It needs `auth`
   * to be an issuer that signs with RSA (RS256, RS384, RS512: API Gateway knows no other algorithm here) and publishes
   * `/.well-known/openid-configuration`. What it refuses gets 401 `{"message":"Unauthorized"}`, which is no problem
   * document. The functions go on verifying every token.
   * @default false
   */
  readonly jwtAuthorizer?: boolean;
}

export interface HttpApiProps extends FunctionOptions {
  readonly settings: Settings;
  readonly options: HttpOptions;
  readonly auth: Auth;
  readonly lanes: Lanes;
  readonly tables: Tables;
  /** What the account has, if that is read at the deploy. Empty: what the settings say. */
  readonly quotaVariables: Readonly<Partial<Record<QuotaVariable, string>>>;
  /** @default AWS */
  readonly emulator?: Emulator;
}

/** What the functions read, what tracing adds (W3C Trace Context), and what clients add that try again. */
const CORS_HEADERS = ["authorization", "content-type", "traceparent", "tracestate", "idempotency-key"];

/** The HTTP API: POST /v1/messages to ingest, GET and DELETE /v1/messages/{id} and GET /v1/history to receipts. */
export class RouterHttpApi extends Construct {
  readonly ingest: LambdaFunction;
  readonly receipts: LambdaFunction;
  readonly aliases: Readonly<Partial<Record<"ingest" | "receipts", Alias>>>;
  readonly api: HttpApi;
  /** What every route asks for a token before a function runs. @default none */
  readonly authorizer?: IHttpRouteAuthorizer;
  /** @default none */
  readonly domainName?: IDomainName;
  /** Without a slash at its end. */
  readonly url: string;

  constructor(scope: Construct, id: string, props: HttpApiProps) {
    super(scope, id);
    const { settings, options, auth, lanes, tables, quotaVariables, emulator } = props;
    const common = { TOKENS: auth.tokens, SETTINGS: settingsVariable(settings) };
    const ingest = new RouterFunction(this, "Ingest", {
      ...props,
      name: "ingest",
      settings: settings.advanced.functions.ingest,
      environment: {
        ...lanes.variables,
        QUOTAS_TABLE: tables.quotas.tableName,
        ...quotaVariables,
        ...common,
      },
    });
    this.ingest = ingest.function;
    lanes.grantSend(this.ingest, ...PRIORITIES);
    lanes.grantLook(this.ingest);
    tables.grant("ingest", this.ingest);
    auth.grantVerify(this.ingest);

    const receipts = new RouterFunction(this, "Receipts", {
      ...props,
      name: "receipts",
      settings: settings.advanced.functions.receipts,
      environment: { RECEIPTS_TABLE: tables.receipts.tableName, ...tables.streamVariables, ...common },
    });
    this.receipts = receipts.function;
    this.aliases = {
      ...(ingest.alias ? { ingest: ingest.alias } : {}),
      ...(receipts.alias ? { receipts: receipts.alias } : {}),
    };
    tables.grant("receipts", this.receipts);
    auth.grantVerify(this.receipts);

    this.api = new HttpApi(this, "Api", {
      createDefaultStage: false,
      corsPreflight: {
        allowOrigins: [...(options.corsOrigins ?? ["*"])],
        allowMethods: [CorsHttpMethod.GET, CorsHttpMethod.POST, CorsHttpMethod.DELETE],
        allowHeaders: [...(options.corsHeaders ?? CORS_HEADERS)],
        exposeHeaders: ["location", "retry-after"],
        maxAge: Duration.minutes(5),
      },
    });
    if (options.jwtAuthorizer) this.authorizer = authorizerFor(auth);
    const { authorizer } = this;
    const toIngest = new HttpLambdaIntegration("Ingest", ingest.target);
    const toReceipts = new HttpLambdaIntegration("Receipts", receipts.target);
    const route = (name: string, method: HttpMethod, path: string, integration: HttpLambdaIntegration) =>
      new HttpRoute(this, name, {
        httpApi: this.api,
        routeKey: HttpRouteKey.with(path, method),
        integration,
        ...(authorizer ? { authorizer } : {}),
      });
    route("PostMessages", HttpMethod.POST, "/v1/messages", toIngest);
    route("GetMessage", HttpMethod.GET, "/v1/messages/{id}", toReceipts);
    route("DeleteMessage", HttpMethod.DELETE, "/v1/messages/{id}", toReceipts);
    route("GetHistory", HttpMethod.GET, "/v1/history", toReceipts);

    const stage = new HttpStage(this, "Stage", {
      httpApi: this.api,
      autoDeploy: true,
      throttle: limitsOf(options.throttle),
      ...(options.accessLog === false ? {} : { accessLogSettings: this.accessLog(props) }),
    });
    // %24default is $default in a form that a shell leaves alone.
    this.url = emulator ? executeApi(emulator, this.api.apiId, "%24default") : this.api.apiEndpoint;
    if (options.domain && !emulator) {
      const { host, domainName } = new Domain(this, "Domain", {
        domain: options.domain,
        api: this.api,
        stage,
      });
      this.domainName = domainName;
      this.url = `https://${host}`;
    }
    accept(this, "AwsSolutions-APIG4", "The functions verify the token of every request.");
    if (options.accessLog === false) accept(stage, "AwsSolutions-APIG1", "Its owner switched the log off.");
  }

  private accessLog({ options, logRetention, removalPolicy }: HttpApiProps) {
    const given = typeof options.accessLog === "object" ? options.accessLog : undefined;
    const logGroup =
      given ??
      new LogGroup(this, "AccessLog", {
        // API Gateway adds a log group of any other name to a policy of the account that has 5,120 characters in all.
        // The API's id is made by AWS, so that no other log group has this name.
        logGroupName: `/aws/vendedlogs/apis/${Names.uniqueResourceName(this, { maxLength: 128 })}-${this.api.apiId}`,
        retention: logRetention,
        removalPolicy,
      });
    return {
      destination: new LogGroupLogDestination(logGroup),
      format: AccessLogFormat.custom(
        JSON.stringify({
          requestId: "$context.requestId",
          time: "$context.requestTime",
          ip: "$context.identity.sourceIp",
          route: "$context.routeKey",
          status: "$context.status",
          milliseconds: "$context.responseLatency",
          error: "$context.integrationErrorMessage",
        }),
      ),
    };
  }
}

function authorizerFor({ issuer }: Auth): IHttpRouteAuthorizer {
  if (!issuer) throw new Error("http.jwtAuthorizer needs auth: { issuer, audience }");
  return new HttpJwtAuthorizer("Jwt", issuer.issuer, { jwtAudience: [issuer.audience] });
}

/** The limits of a stage, with the defaults for what is absent. */
export const limitsOf = (throttle: ThrottleSettings = {}): ThrottleSettings => ({
  rateLimit: 1_000,
  burstLimit: 500,
  ...throttle,
});
