import type { Stack } from "aws-cdk-lib";
import { Match, Template } from "aws-cdk-lib/assertions";
import { Certificate } from "aws-cdk-lib/aws-certificatemanager";
import { Key } from "aws-cdk-lib/aws-kms";
import { HostedZone } from "aws-cdk-lib/aws-route53";
import { describe, expect, test } from "vitest";
import type { TagwireProps } from "../../infra/index.ts";
import { routerStack } from "./support.ts";

/** All that a router can have beside what it has anyway. */
const everything = (stack: Stack): TagwireProps => {
  const certificate = Certificate.fromCertificateArn(
    stack,
    "Certificate",
    "arn:aws:acm:eu-central-1:1:certificate/1",
  );
  const hostedZone = HostedZone.fromHostedZoneAttributes(stack, "Zone", {
    hostedZoneId: "Z",
    zoneName: "example.com",
  });
  return {
    encryptionKey: new Key(stack, "Mine"),
    http: { domain: { domainName: "api.example.com", certificate, hostedZone } },
    socket: { domain: { domainName: "push.example.com", certificate, hostedZone } },
    tracing: true,
    deployment: {},
    provisionedConcurrency: { ingest: 1 },
    settings: { userStreams: { seconds: 3_600, count: 100 } },
  };
};

const ROUTERS = [
  { why: "as it comes", props: {} },
  { why: "with everything", props: everything },
  { why: "on an emulator", props: { emulator: { endpoint: "http://127.0.0.1:4566" } } },
];

/** The right to call a function that an integration of the CDK makes, of an id that the CDK makes. */
const OF_THE_CDK = /^(Ingest|Receipts|Connections|Socket)-Permission$/;

describe.each(ROUTERS)("a router $why", ({ props }) => {
  const { stack, router } = routerStack(props, "eu-central-1");

  test("has constructs whose ids are PascalCase", () => {
    const ids = router.node.findAll().map(({ node }) => node.id);
    expect(ids.length).toBeGreaterThan(80);
    expect(ids.filter((id) => !/^[A-Z][A-Za-z0-9]*$/.test(id) && !OF_THE_CDK.test(id))).toEqual([]);
  });

  test.each([
    ["AWS::SQS::Queue", "QueueName"],
    ["AWS::DynamoDB::GlobalTable", "TableName"],
    ["AWS::SecretsManager::Secret", "Name"],
    ["AWS::Lambda::Function", "FunctionName"],
    ["AWS::IAM::Role", "RoleName"],
    ["AWS::CloudWatch::Alarm", "AlarmName"],
    ["AWS::CloudWatch::Dashboard", "DashboardName"],
  ])("leaves the name of each %s to CloudFormation, so that a replacement is not in its own way", (type, name) => {
    const template = Template.fromStack(stack);
    expect(Object.keys(template.findResources(type)).length).toBeGreaterThan(0);
    template.resourcePropertiesCountIs(type, { [name]: Match.anyValue() }, 0);
  });
});
