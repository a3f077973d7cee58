import type { Stack } from "aws-cdk-lib";
import { Certificate } from "aws-cdk-lib/aws-certificatemanager";
import { Vpc } from "aws-cdk-lib/aws-ec2";
import { Key } from "aws-cdk-lib/aws-kms";
import { AwsSolutionsChecks } from "cdk-nag";
import { expect, test } from "vitest";
import type { TagwireProps } from "../../infra/index.ts";
import { routerStack } from "./support.ts";

const network = (stack: Stack): TagwireProps => ({
  vpc: Vpc.fromVpcAttributes(stack, "Vpc", {
    vpcId: "vpc-1",
    availabilityZones: ["eu-central-1a"],
    privateSubnetIds: ["subnet-1"],
  }),
  encryptionKey: Key.fromKeyArn(stack, "Key", "arn:aws:kms:eu-central-1:111122223333:key/1"),
  tracing: true,
  settings: { userStreams: { seconds: 60, count: 10 } },
});
const ISSUER = { issuer: "https://id.example.com", audience: "push" };

const domains = (stack: Stack): TagwireProps => {
  const certificate = Certificate.fromCertificateArn(
    stack,
    "Certificate",
    "arn:aws:acm:eu-central-1:1:certificate/1",
  );
  return {
    http: { domain: { domainName: "api.example.com", certificate } },
    socket: { domain: { domainName: "push.example.com", certificate } },
  };
};

test.each([
  { why: "as it comes, with tracing", props: { tracing: true } },
  { why: "in a VPC, with a key and tracing", props: network },
  { why: "with host names", props: domains },
  { why: "without an access log and a secret", props: { http: { accessLog: false }, auth: ISSUER } },
])("cdk-nag finds nothing $why", ({ props }) => {
  const { stack } = routerStack(props, "eu-central-1");
  expect(new AwsSolutionsChecks().validateScope(stack).violations).toEqual([]);
});
