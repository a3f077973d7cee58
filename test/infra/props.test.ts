import { Aws, Stack } from "aws-cdk-lib";
import { Match, Template } from "aws-cdk-lib/assertions";
import { type IVpc, SecurityGroup, SubnetType, Vpc } from "aws-cdk-lib/aws-ec2";
import { Architecture, Runtime } from "aws-cdk-lib/aws-lambda";
import { describe, expect, test } from "vitest";
import { Tagwire } from "../../infra/tagwire.ts";
import { FUNCTIONS } from "../../shared/settings/variables.ts";
import { functionsOf, statementsIn, synth, unbundled } from "./support.ts";

/** CDK is not written for exactOptionalPropertyTypes. */
const vpcOf = (stack: Stack) => new Vpc(stack, "Vpc") as IVpc;

test("the functions run where and on what you say", () => {
  const { template } = synth({ architecture: Architecture.X86_64, runtime: Runtime.NODEJS_22_X });
  template.allResourcesProperties("AWS::Lambda::Function", {
    Architectures: ["x86_64"],
    Runtime: "nodejs22.x",
  });
});

test("a runtime that is no Node is refused", () => {
  expect(() => synth({ runtime: Runtime.PYTHON_3_13 })).toThrow(
    "runtime must be one of Node.js, got python3.13",
  );
});

describe("in a VPC", () => {
  const { template, router, propertiesOf, idOf } = synth((stack) => {
    const vpc = vpcOf(stack);
    return {
      vpc,
      vpcSubnets: { subnetType: SubnetType.PRIVATE_WITH_EGRESS },
      securityGroups: [new SecurityGroup(stack, "Group", { vpc })],
    };
  });

  test.each(FUNCTIONS)("%s runs in the subnets and the group that are given", (name) => {
    expect(propertiesOf(functionsOf(router)[name])).toMatchObject({
      VpcConfig: {
        SubnetIds: [
          { Ref: expect.stringMatching(/^VpcPrivateSubnet1/) },
          { Ref: expect.stringMatching(/^VpcPrivateSubnet2/) },
        ],
        SecurityGroupIds: [{ "Fn::GetAtt": [expect.stringMatching(/^Group/), "GroupId"] }],
      },
    });
  });

  test.each(
    FUNCTIONS,
  )("Lambda may make the network interfaces of %s before it makes the function", (name) => {
    const made = functionsOf(router)[name];
    const [policy, ...others] = Object.entries(template.findResources("AWS::IAM::Policy")).filter(
      ([, { Properties }]) => made.role && Properties.Roles[0].Ref === idOf(made.role),
    );
    expect(others).toEqual([]);
    expect(policy?.[1]["Properties"].PolicyDocument.Statement).toContainEqual({
      Effect: "Allow",
      Resource: "*",
      Action: [
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:UnassignPrivateIpAddresses",
      ],
    });
    expect(template.toJSON().Resources[idOf(made)].DependsOn).toContain(policy?.[0]);
  });
});

test("outside a VPC nobody may make network interfaces", () => {
  const actions = statementsIn(synth().template, "AWS::IAM::Policy").flatMap(({ Action }) => Action ?? []);
  expect(actions.filter((action: string) => action.startsWith("ec2:"))).toEqual([]);
});

test("subnets without their VPC are refused", () => {
  const subnets = { vpcSubnets: { subnetType: SubnetType.PRIVATE_WITH_EGRESS } };
  expect(() => synth(subnets)).toThrow("vpcSubnets and securityGroups need a vpc");
});

describe("names", () => {
  /** The names of the queues, with eight zeros for the eight digits of the stack's id. */
  const queueNames = (template: Template): string[] =>
    Object.values(template.findResources("AWS::SQS::Queue")).map(({ Properties }) => {
      const parts: unknown[] = Properties.QueueName["Fn::Join"][1];
      return parts.map((part) => (typeof part === "string" ? part : "00000000")).join("");
    });

  test.each(["a", "shop_1-live", "n".repeat(58)])("%s is a name", (name) => {
    for (const made of queueNames(synth({ name }).template)) {
      expect(made).toMatch(new RegExp(`^${name}-00000000-[a-z-]+$`));
      expect(made.length).toBeLessThanOrEqual(80);
    }
  });

  test.each([
    "",
    "my router",
    "n".repeat(59),
    "größe",
    "a/b",
    Aws.STACK_NAME,
  ])("%j is refused, with the rule", (name) => {
    expect(() => synth({ name })).toThrow(
      "name must be 1-58 of A-Z a-z 0-9 _ -, known at synth, since the names of SQS queues are made of it (80 at most)",
    );
  });

  test("two routers of a stack cannot have the same name, but two of two stacks can", () => {
    const app = unbundled();
    const stack = new Stack(app, "Shop");
    new Tagwire(stack, "Orders", { name: "push" });
    expect(() => new Tagwire(stack, "Chat", { name: "push" })).toThrow(
      "another router of stack Shop has the name push",
    );
    expect(() => new Tagwire(new Stack(app, "Other"), "Chat", { name: "push" })).not.toThrow();
  });

  test("a construct of any path gets a name that SQS takes", () => {
    const stack = new Stack(unbundled(), "S".repeat(100));
    new Tagwire(stack, "Unser Röuter ".repeat(12));
    for (const name of queueNames(Template.fromStack(stack))) expect(name).toMatch(/^[A-Za-z0-9_-]{1,80}$/);
  });
});

test("a role in a VPC has no policy that AWS wrote for everybody", () => {
  const { template } = synth((stack) => ({ vpc: vpcOf(stack) }));
  const roles = template.findResources("AWS::IAM::Role", {
    Properties: { ManagedPolicyArns: Match.anyValue() },
  });
  expect(Object.keys(roles).filter((id) => id.startsWith("Router"))).toEqual([]);
});
