import { Stack } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import { Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Key } from "aws-cdk-lib/aws-kms";
import { Code, Function as LambdaFunction, Runtime } from "aws-cdk-lib/aws-lambda";
import { expect, test } from "vitest";
import type { Tagwire, TagwireProps } from "../../infra/index.ts";
import { routerStack, unbundled } from "./support.ts";

const ISSUER: TagwireProps = { auth: { issuer: "https://id.example.com", audience: "push" } };

/** A router, and something else of the stack that is given to `use`. */
function beside(props: TagwireProps, use: (router: Tagwire, stack: Stack) => void) {
  const { stack, router } = routerStack(props);
  const before = new Set(Object.keys(Template.fromStack(routerStack(props).stack).toJSON().Resources));
  use(router, stack);
  const all: Record<string, { Type: string; Properties: Record<string, never> }> =
    Template.fromStack(stack).toJSON().Resources;
  const added = Object.entries(all).filter(([id]) => !before.has(id));
  const of = (type: string) => added.filter(([, { Type }]) => Type === type).map(([, it]) => it.Properties);
  return { of, stack, router, secret: router.secret && stack.resolve(router.secret.secretArn) };
}

const shopOf = (stack: Stack) =>
  new LambdaFunction(stack, "Shop", {
    runtime: Runtime.NODEJS_24_X,
    handler: "index.handler",
    code: Code.fromInline("exports.handler = async () => {}"),
  });
const mayRead = (secret: unknown) => ({
  Action: ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"],
  Effect: "Allow",
  Resource: secret,
});

test("whatever has a principal may be let publish: it may read the secret, and nothing else", () => {
  const { of, secret } = beside({}, (router, stack) => {
    const role = new Role(stack, "Task", { assumedBy: new ServicePrincipal("ecs-tasks.amazonaws.com") });
    router.grantPublish(role).assertSuccess();
  });
  const [policy, ...others] = of("AWS::IAM::Policy");
  expect(others).toEqual([]);
  expect(policy).toMatchObject({
    PolicyDocument: { Statement: [mayRead(secret)] },
    Roles: [{ Ref: expect.stringMatching(/^Task/) }],
  });
});

test("a publisher learns the address and the secret's ARN, and may read that secret and nothing else", () => {
  const { of, secret, stack, router } = beside({}, (it, within) => it.addPublisher(shopOf(within)));
  const [shop] = of("AWS::Lambda::Function");
  expect(shop?.["Environment"]).toEqual({
    Variables: { TAGWIRE_URL: stack.resolve(router.httpUrl), TAGWIRE_SECRET_ID: secret },
  });
  expect(of("AWS::IAM::Policy")).toMatchObject([
    { PolicyDocument: { Statement: [mayRead(secret)] }, Roles: [{ Ref: expect.stringMatching(/^Shop/) }] },
  ]);
});

test("if an issuer signs the tokens a publisher gets the address alone, and nothing is granted", () => {
  const { of } = beside(ISSUER, (router, stack) => {
    expect(router.addPublisher(shopOf(stack)).success).toBe(false);
  });
  const [shop] = of("AWS::Lambda::Function");
  expect(shop?.["Environment"]).toEqual({ Variables: { TAGWIRE_URL: expect.anything() } });
  expect(of("AWS::IAM::Policy")).toEqual([]);
});

test("a publisher of another stack gets the same", () => {
  const app = unbundled();
  const { router } = routerStack({}, undefined, app);
  const other = new Stack(app, "Other");
  router.addPublisher(shopOf(other));
  const policies = Object.values(Template.fromStack(other).findResources("AWS::IAM::Policy"));
  expect(policies.map(({ Properties }) => Properties.PolicyDocument.Statement)).toEqual([
    [mayRead({ "Fn::ImportValue": expect.stringMatching(/^Test:ExportsOutput/) })],
  ]);
});

test("a publisher may decrypt with the key that encrypts the secret, by way of Secrets Manager", () => {
  const { stack, router } = routerStack((it) => ({ encryptionKey: new Key(it, "Mine") }), "eu-central-1");
  router.addPublisher(shopOf(stack));
  const [policy] = Object.values(Template.fromStack(stack).findResources("AWS::IAM::Policy")).filter(
    ({ Properties }) => Properties.Roles[0].Ref.startsWith("Shop"),
  );
  expect(policy?.["Properties"].PolicyDocument.Statement).toEqual([
    mayRead(expect.anything()),
    expect.objectContaining({
      Action: "kms:Decrypt",
      Condition: { StringEquals: { "kms:ViaService": "secretsmanager.eu-central-1.amazonaws.com" } },
    }),
  ]);
});
