import { Match } from "aws-cdk-lib/assertions";
import { LogGroup } from "aws-cdk-lib/aws-logs";
import { expect, test } from "vitest";
import { synth } from "./support.ts";

const aws = synth();
const emulated = synth({ emulator: { endpoint: "http://127.0.0.1:4566/" } });
const endpointOf = ({ variablesOf, router }: typeof aws) =>
  JSON.stringify(variablesOf(router.functions.consume)["SOCKET_ENDPOINT"]);

test.each([
  { route: "POST /v1/messages", name: "ingest" },
  { route: "GET /v1/messages/{id}", name: "receipts" },
  { route: "DELETE /v1/messages/{id}", name: "receipts" },
  { route: "GET /v1/history", name: "receipts" },
  { route: "DELETE /v1/users/{user}/connections", name: "connections" },
  { route: "DELETE /v1/connections/{id}", name: "connections" },
  { route: "$connect", name: "socket" },
  { route: "$disconnect", name: "socket" },
  { route: "$default", name: "socket" },
] as const)("$route leads to $name", ({ route, name }) => {
  const { template, router, idOf } = aws;
  const [{ Properties } = expect.fail()] = Object.values(
    template.findResources("AWS::ApiGatewayV2::Route", { Properties: { RouteKey: route } }),
  );
  const [, id = ""] = /"integrations\/",\{"Ref":"(\w+)"/.exec(JSON.stringify(Properties)) ?? [];
  const integration = JSON.stringify(template.toJSON().Resources[id].Properties.IntegrationUri);
  expect(integration).toContain(`"${idOf(router.functions[name])}"`);
});

test("the reply to a frame is what the function returns", () => {
  aws.template.hasResourceProperties("AWS::ApiGatewayV2::RouteResponse", { RouteResponseKey: "$default" });
});

test("the consumer posts to the stage's own address", () => {
  expect(endpointOf(aws)).toMatch(/"https:\/\/",.+\.execute-api\..+\/live"/);
});

test("the consumer posts to an emulator by path, as its host names may not resolve", () => {
  expect(endpointOf(emulated)).toMatch(
    /"http:\/\/127\.0\.0\.1:4566\/_aws\/execute-api\/",\{"Ref":"\w+"\},"\/live"/,
  );
});

test("what an emulator refuses is left out there", () => {
  for (const type of [
    "ApiGatewayV2::RouteResponse",
    "ApiGatewayV2::Deployment",
    "CloudWatch::CompositeAlarm",
  ]) {
    emulated.template.resourceCountIs(`AWS::${type}`, 0);
  }
  for (const { Properties } of Object.values(emulated.template.findResources("AWS::CloudWatch::Alarm"))) {
    expect(Properties).not.toHaveProperty("Metrics");
  }
});

test("any page may call with a token, unless origins are named", () => {
  const cors = (AllowOrigins: string[]) => ({
    CorsConfiguration: Match.objectLike({
      AllowOrigins,
      AllowMethods: ["GET", "POST", "DELETE"],
      AllowHeaders: ["authorization", "content-type", "traceparent", "tracestate", "idempotency-key"],
      ExposeHeaders: ["location", "retry-after"],
    }),
  });
  aws.template.hasResourceProperties("AWS::ApiGatewayV2::Api", cors(["*"]));
  const named = synth({ http: { corsOrigins: ["https://shop.example.com"] } });
  named.template.hasResourceProperties("AWS::ApiGatewayV2::Api", cors(["https://shop.example.com"]));
});

test("web pages may send the headers that are named, and no others", () => {
  const named = synth({ http: { corsHeaders: ["authorization", "x-shop"] } });
  named.template.hasResourceProperties("AWS::ApiGatewayV2::Api", {
    CorsConfiguration: Match.objectLike({ AllowHeaders: ["authorization", "x-shop"] }),
  });
});

test("the socket's stage comes after its routes, as what is deployed first is what connects", () => {
  const { Resources } = aws.template.toJSON() as {
    Resources: Record<string, { Type: string; DependsOn?: string[]; Properties: Record<string, unknown> }>;
  };
  const api = JSON.stringify({ Ref: aws.idOf(aws.router.socketApi) });
  const ofSocket = (...types: string[]) =>
    Object.entries(Resources).filter(
      ([, { Type, Properties }]) =>
        types.includes(Type.replace("AWS::ApiGatewayV2::", "")) &&
        JSON.stringify(Properties["ApiId"]) === api,
    );
  const [[, stage] = expect.fail(), ...others] = ofSocket("Stage");
  expect(others).toEqual([]);
  const routes = ofSocket("Route", "RouteResponse").map(([id]) => id);
  expect(routes).toHaveLength(4);
  expect(stage.DependsOn).toEqual(expect.arrayContaining(routes));
});

test("the socket's stage has the name that it is given, in every address", () => {
  const { template, router, variablesOf } = synth({ socket: { stageName: "blue" } });
  template.hasResourceProperties("AWS::ApiGatewayV2::Stage", { StageName: "blue" });
  expect(JSON.stringify(variablesOf(router.functions.consume)["SOCKET_ENDPOINT"])).toMatch(/\/blue"/);
  expect(JSON.stringify(template.findResources("AWS::IAM::Policy"))).toContain("/blue/POST/@connections/*");
});

test.each([
  "",
  "my stage",
  "$default",
  "a".repeat(129),
])("%j is refused as the name of a stage", (stageName) => {
  expect(() => synth({ socket: { stageName } })).toThrow("socket.stageName must be 1-128 of A-Z a-z 0-9 _ -");
});

test("each stage takes so much and no more", () => {
  const throttle = (StageName: string, rate: number, burst: number) => ({
    StageName,
    DefaultRouteSettings: { ThrottlingRateLimit: rate, ThrottlingBurstLimit: burst },
  });
  aws.template.hasResourceProperties("AWS::ApiGatewayV2::Stage", throttle("$default", 1_000, 500));
  aws.template.hasResourceProperties("AWS::ApiGatewayV2::Stage", throttle("live", 1_000, 500));
  const changed = synth({
    http: { throttle: { rateLimit: 50, burstLimit: 20 } },
    socket: { throttle: { rateLimit: 7 } },
  });
  changed.template.hasResourceProperties("AWS::ApiGatewayV2::Stage", throttle("$default", 50, 20));
  changed.template.hasResourceProperties("AWS::ApiGatewayV2::Stage", throttle("live", 7, 500));
});

test("the access log has a group whose name no other stack has, and whose kind costs the account no policy", () => {
  const [
    {
      Properties: { LogGroupName },
    } = expect.fail(),
  ] = Object.values(
    aws.template.findResources("AWS::Logs::LogGroup", { Properties: { LogGroupName: Match.anyValue() } }),
  );
  expect(LogGroupName).toEqual({
    "Fn::Join": [
      "",
      [
        expect.stringMatching(/^\/aws\/vendedlogs\/apis\/TestRouterHttpApi\w+-$/),
        { Ref: aws.idOf(aws.router.httpApi) },
      ],
    ],
  });
});

test("the access log goes to a group of yours", () => {
  const own = synth((stack) => ({ http: { accessLog: new LogGroup(stack, "Mine") } }));
  own.template.hasResourceProperties("AWS::ApiGatewayV2::Stage", {
    AccessLogSettings: { DestinationArn: { "Fn::GetAtt": [Match.stringLikeRegexp("^Mine"), "Arn"] } },
  });
});

test("the access log names neither tokens nor messages, and there is none of the sockets' queries", () => {
  const [stages] = [Object.values(aws.template.findResources("AWS::ApiGatewayV2::Stage"))];
  const formats = stages.map(({ Properties }) => Properties.AccessLogSettings?.Format).filter(Boolean);
  expect(formats).toHaveLength(1);
  expect(formats[0]).not.toMatch(/authorizer|querystring|\$context\.path|header/i);
});
