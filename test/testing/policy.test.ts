import { expect, test } from "vitest";
import { accessesOf } from "../../testing/access.ts";
import { policyOf } from "../../testing/policy.ts";
import type { CallRequest, Service } from "../../testing/service.ts";
import type { Template } from "../../testing/template.ts";

const PLACE = { region: "us-east-1", account: "000000000000" };
const TABLE = "arn:aws:dynamodb:us-east-1:000000000000:table/orders";

const policy = (...statements: object[]) => {
  const Properties = { PolicyDocument: { Statement: statements }, Roles: [{ Ref: "Role" }] };
  const template: Template = { Resources: { Policy: { Type: "AWS::IAM::Policy", Properties } } };
  return policyOf(template, "Role", { Table: { ref: "orders", arn: TABLE } });
};
const allow = (Action: string | string[], Resource: unknown) => ({ Effect: "Allow", Action, Resource });
const ARN = { "Fn::GetAtt": ["Table", "Arn"] };

test.each([
  { what: "the action on the resource", statements: [allow("dynamodb:GetItem", ARN)], may: true },
  { what: "the action in other capitals", statements: [allow("dynamodb:getitem", ARN)], may: true },
  {
    what: "one of several actions",
    statements: [allow(["dynamodb:Scan", "dynamodb:GetItem"], ARN)],
    may: true,
  },
  { what: "a pattern", statements: [allow("dynamodb:Get*", `${TABLE.slice(0, -6)}*`)], may: true },
  { what: "another action", statements: [allow("dynamodb:Query", ARN)], may: false },
  { what: "another resource", statements: [allow("dynamodb:GetItem", `${TABLE}-2`)], may: false },
  {
    what: "a resource that is not emulated",
    statements: [allow("dynamodb:GetItem", { Ref: "Other" })],
    may: false,
  },
  {
    what: "the action, which another statement denies",
    statements: [allow("dynamodb:GetItem", ARN), { ...allow("dynamodb:*", "*"), Effect: "Deny" }],
    may: false,
  },
  { what: "nothing", statements: [], may: false },
])("a policy that allows $what: $may", ({ statements, may }) => {
  expect(policy(...statements).allows({ action: "dynamodb:GetItem", resource: TABLE })).toBe(may);
});

test("a policy of another role gives nothing", () => {
  const Properties = { PolicyDocument: { Statement: [allow("*", "*")] }, Roles: [{ Ref: "Other" }] };
  const template: Template = { Resources: { Policy: { Type: "AWS::IAM::Policy", Properties } } };
  expect(policyOf(template, "Role", {}).allows({ action: "a:B", resource: "c" })).toBe(false);
});

test("grants that no call used are named, each action on each resource", () => {
  const held = policy(allow(["dynamodb:GetItem", "dynamodb:Query"], [ARN, { Ref: "Other" }]));
  held.allows({ action: "dynamodb:GetItem", resource: TABLE });
  held.allows({ action: "dynamodb:PutItem", resource: TABLE });
  expect(held.unused()).toEqual([
    { action: "dynamodb:GetItem", resource: '{"Ref":"Other"}' },
    { action: "dynamodb:Query", resource: TABLE },
    { action: "dynamodb:Query", resource: '{"Ref":"Other"}' },
  ]);
});

test("a condition is not passed over", () => {
  const conditional = {
    ...allow("dynamodb:GetItem", ARN),
    Condition: { Bool: { "aws:SecureTransport": "true" } },
  };
  expect(() => policy(conditional)).toThrow("a condition is not emulated");
});

const call = (target: string, input: object, path = "/"): CallRequest => ({
  ...{ method: "POST", path, headers: { "x-amz-target": target } },
  body: Buffer.from(JSON.stringify(input)),
});

test.each<{ service: Service; request: CallRequest; needs: string[] }>([
  {
    service: "sqs",
    request: call("AmazonSQS.SendMessageBatch", { QueueUrl: "http://127.0.0.1:1/000000000000/high" }),
    needs: ["sqs:SendMessage arn:aws:sqs:us-east-1:000000000000:high"],
  },
  {
    service: "dynamodb",
    request: call("DynamoDB_20120810.BatchGetItem", { RequestItems: { orders: {}, users: {} } }),
    needs: ["orders", "users"].map((it) => `dynamodb:BatchGetItem ${TABLE.replace("orders", it)}`),
  },
  {
    service: "secretsmanager",
    request: call("secretsmanager.GetSecretValue", { SecretId: "arn:aws:secretsmanager:x" }),
    needs: ["secretsmanager:GetSecretValue arn:aws:secretsmanager:x"],
  },
  {
    service: "execute-api",
    request: call("", {}, "/live/%40connections/a%3D"),
    needs: [
      "execute-api:ManageConnections arn:aws:execute-api:us-east-1:000000000000:local/live/POST/@connections/a=",
    ],
  },
])("what a call to $service needs", ({ service, request, needs }) => {
  const found = accessesOf(service, PLACE, request).map(({ action, resource }) => `${action} ${resource}`);
  expect(found).toEqual(needs);
});

test("an operation whose permission is not known is not let through", () => {
  expect(() => accessesOf("sqs", PLACE, call("AmazonSQS.PurgeQueue", {}))).toThrow("is not known");
});
