import type { Stack } from "aws-cdk-lib";
import { Match } from "aws-cdk-lib/assertions";
import { type IVpc, SecurityGroup, SubnetType, Vpc } from "aws-cdk-lib/aws-ec2";
import { Architecture, Runtime, RuntimeFamily } from "aws-cdk-lib/aws-lambda";
import { describe, expect, test } from "vitest";
import { FUNCTIONS } from "../../shared/settings/variables.ts";
import { statementsIn, synth } from "./support.ts";

/** CDK is not written for exactOptionalPropertyTypes. */
const vpcOf = (stack: Stack) => new Vpc(stack, "Vpc") as IVpc;

test("the functions run where and on what you say", () => {
  const { template } = synth({ architecture: Architecture.X86_64, runtime: Runtime.NODEJS_22_X });
  template.allResourcesProperties("AWS::Lambda::Function", {
    Architectures: ["x86_64"],
    Runtime: "nodejs22.x",
  });
});

test.each(["nodejs22.x", "nodejs26.x"])("%s may be a runtime that CDK does not know", (name) => {
  const { template } = synth({ runtime: new Runtime(name, RuntimeFamily.NODEJS) });
  const functions = Object.values(template.findResources("AWS::Lambda::Function"));
  expect(new Set(functions.map(({ Properties }) => Properties.Runtime))).toEqual(new Set([name]));
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
    expect(propertiesOf(router.functions[name])).toMatchObject({
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
    const made = router.functions[name];
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

test("a role in a VPC has no policy that AWS wrote for everybody", () => {
  const { template } = synth((stack) => ({ vpc: vpcOf(stack) }));
  const roles = template.findResources("AWS::IAM::Role", {
    Properties: { ManagedPolicyArns: Match.anyValue() },
  });
  expect(Object.keys(roles).filter((id) => id.startsWith("Router"))).toEqual([]);
});

test("there is a dashboard unless you say that there is none", () => {
  expect(() => synth().template.resourceCountIs("AWS::CloudWatch::Dashboard", 1)).not.toThrow();
  expect(() =>
    synth({ dashboard: false }).template.resourceCountIs("AWS::CloudWatch::Dashboard", 0),
  ).not.toThrow();
});
