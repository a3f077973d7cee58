import { Match } from "aws-cdk-lib/assertions";
import { Alarm } from "aws-cdk-lib/aws-cloudwatch";
import { LambdaDeploymentConfig } from "aws-cdk-lib/aws-codedeploy";
import { AwsSolutionsChecks } from "cdk-nag";
import { describe, expect, test } from "vitest";
import { LANES } from "../../shared/protocol/lane.ts";
import { FUNCTIONS } from "../../shared/settings/variables.ts";
import { routerStack, synth } from "./support.ts";

const plain = synth();
const gradual = synth({ deployment: {} });

/** The logical ids of the aliases. */
const aliasesOf = ({ template }: typeof plain) => Object.keys(template.findResources("AWS::Lambda::Alias"));

/** The one alias of a function. */
function aliasOf({ template, router, idOf }: typeof plain, name: (typeof FUNCTIONS)[number]) {
  const found = Object.entries(template.findResources("AWS::Lambda::Alias")).filter(
    ([, { Properties }]) => Properties.FunctionName.Ref === idOf(router.functions[name]),
  );
  const [[id, resource] = expect.fail(`${name} has no alias`)] = found;
  expect(found).toHaveLength(1);
  return { id, resource };
}

test("by default runs go to the newest code: there is no alias, version or deployment", () => {
  for (const type of ["Lambda::Alias", "Lambda::Version", "CodeDeploy::Application"])
    plain.template.resourceCountIs(`AWS::${type}`, 0);
});

test("a gradual deployment adds resources, and the id of none that was there changes", () => {
  const idsOf = ({ template }: typeof plain) => Object.keys(template.toJSON().Resources);
  expect(idsOf(gradual)).toEqual(expect.arrayContaining(idsOf(plain)));
});

describe("with a gradual deployment", () => {
  const { template } = gradual;

  test.each(FUNCTIONS)("%s has an alias that moves to new code by CodeDeploy", (name) => {
    const { resource } = aliasOf(gradual, name);
    const group = resource["UpdatePolicy"].CodeDeployLambdaAliasUpdate.DeploymentGroupName.Ref;
    expect(template.toJSON().Resources[group].Properties).toMatchObject({
      DeploymentConfigName: "CodeDeployDefault.LambdaLinear10PercentEvery1Minute",
      AutoRollbackConfiguration: {
        Enabled: true,
        Events: expect.arrayContaining(["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"]),
      },
    });
  });

  test.each(LANES)("lane %s calls the alias of the consumer", (lane) => {
    const [{ Properties } = expect.fail()] = Object.values(
      template.findResources("AWS::Lambda::EventSourceMapping", {
        Properties: { EventSourceArn: { "Fn::GetAtt": [gradual.idOf(gradual.router.lanes[lane]), "Arn"] } },
      }),
    );
    // FUNCTION:live, with the function's name out of the ARN of the alias.
    expect(JSON.stringify(Properties.FunctionName)).toMatch(
      new RegExp(`\\{"Ref":"${aliasOf(gradual, "consume").id}"\\}.+":live"`),
    );
  });

  test("every route calls an alias, and may", () => {
    const aliases = aliasesOf(gradual);
    const called = Object.values(template.findResources("AWS::ApiGatewayV2::Integration")).map(
      ({ Properties }) => JSON.stringify(Properties.IntegrationUri),
    );
    expect(called).toHaveLength(4);
    for (const uri of called) expect(aliases.some((id) => uri.includes(`"${id}"`))).toBe(true);
    const may = Object.values(template.findResources("AWS::Lambda::Permission")).map(
      ({ Properties }) => Properties.FunctionName.Ref,
    );
    expect(may.length).toBeGreaterThanOrEqual(9);
    for (const id of may) expect(aliases).toContain(id);
  });

  test("the alarms that tell of bad code take it back, and those that may be on without it do not", () => {
    const groups = Object.values(template.findResources("AWS::CodeDeploy::DeploymentGroup"));
    expect(groups).toHaveLength(FUNCTIONS.length);
    for (const { Properties } of groups) {
      const names = Properties.AlarmConfiguration.Alarms.map(
        ({ Name }: { Name: { Ref: string } }) => Name.Ref,
      );
      expect(names.length).toBeLessThanOrEqual(10);
      for (const id of ["ConsumeErrors", "SocketErrors", "HttpServerErrors", "SendsForbidden"])
        expect(names).toContainEqual(expect.stringContaining(`RouterAlarms${id}`));
      expect(names.filter((name: string) => /Oldest|DeadLetters|Throttles|Cost/.test(name))).toEqual([]);
    }
  });

  test("cdk-nag finds nothing", () => {
    const { stack } = routerStack({ deployment: {}, provisionedConcurrency: { ingest: 2 } }, "eu-central-1");
    expect(new AwsSolutionsChecks().validateScope(stack).violations).toEqual([]);
  });
});

test("a deployment moves as you say, and goes back on the alarms that you name", () => {
  const { template } = synth((stack) => {
    const mine = Alarm.fromAlarmArn(stack, "Mine", "arn:aws:cloudwatch:eu-central-1:1:alarm:mine");
    return { deployment: { config: LambdaDeploymentConfig.ALL_AT_ONCE, alarms: [mine] } };
  });
  template.allResourcesProperties("AWS::CodeDeploy::DeploymentGroup", {
    DeploymentConfigName: "CodeDeployDefault.LambdaAllAtOnce",
    AlarmConfiguration: { Alarms: [{ Name: "mine" }], Enabled: true },
  });
});

test("a router without alarms goes back where a deployment fails", () => {
  synth({ alarms: false, deployment: {} }).template.allResourcesProperties(
    "AWS::CodeDeploy::DeploymentGroup",
    { AutoRollbackConfiguration: { Enabled: true, Events: Match.arrayWith(["DEPLOYMENT_FAILURE"]) } },
  );
});

test("containers wait for the runs of the functions that you name, and of no others", () => {
  const warm = synth({ provisionedConcurrency: { ingest: 5 } });
  expect(aliasesOf(warm)).toHaveLength(1);
  expect(aliasOf(warm, "ingest").resource["Properties"]).toMatchObject({
    ProvisionedConcurrencyConfig: { ProvisionedConcurrentExecutions: 5 },
  });
  warm.template.resourceCountIs("AWS::CodeDeploy::DeploymentGroup", 0);
});

test.each([
  {
    provisionedConcurrency: { consume: 29 },
    says: "consume must be at most 28, the function's reserve, got 29",
  },
  { provisionedConcurrency: { ingest: 0 }, says: "ingest must be a whole number above 0, got 0" },
  { provisionedConcurrency: { ingest: 1.5 }, says: "ingest must be a whole number above 0, got 1.5" },
])("provisioned concurrency that cannot be is refused: $says", ({ provisionedConcurrency, says }) => {
  expect(() => synth({ provisionedConcurrency })).toThrow(`provisionedConcurrency.${says}`);
});

test("an emulator has no CodeDeploy and no containers that wait, so both are left out there", () => {
  const emulator = { endpoint: "http://127.0.0.1:4566" };
  const props = { emulator, deployment: {}, provisionedConcurrency: { ingest: 2 } };
  expect(synth(props).template.toJSON()).toEqual(synth({ emulator }).template.toJSON());
});

describe("a JWT authorizer", () => {
  const auth = { issuer: "https://id.example.com", audience: "push" };

  test("stands in front of every route of the HTTP API", () => {
    const { template, router, idOf } = synth({ auth, http: { jwtAuthorizer: true } });
    template.resourceCountIs("AWS::ApiGatewayV2::Authorizer", 1);
    template.hasResourceProperties("AWS::ApiGatewayV2::Authorizer", {
      ApiId: { Ref: idOf(router.httpApi) },
      AuthorizerType: "JWT",
      IdentitySource: ["$request.header.Authorization"],
      JwtConfiguration: { Issuer: auth.issuer, Audience: [auth.audience] },
    });
    const routes = Object.values(
      template.findResources("AWS::ApiGatewayV2::Route", {
        Properties: { ApiId: { Ref: idOf(router.httpApi) } },
      }),
    );
    expect(routes).toHaveLength(6);
    for (const { Properties } of routes) expect(Properties.AuthorizationType).toBe("JWT");
  });

  test("leaves it to the functions what a token grants", () => {
    const { router, variablesOf } = synth({ auth, http: { jwtAuthorizer: true } });
    expect(JSON.parse(String(variablesOf(router.functions.ingest)["TOKENS"]))).toEqual(auth);
  });

  test("is there only where you ask for it", () => {
    synth({ auth }).template.resourceCountIs("AWS::ApiGatewayV2::Authorizer", 0);
  });

  test("needs an issuer, since API Gateway knows no shared secrets", () => {
    expect(() => synth({ http: { jwtAuthorizer: true } })).toThrow(
      "http.jwtAuthorizer needs auth: { issuer, audience }",
    );
  });
});
