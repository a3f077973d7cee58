import { CfnResource, Stack, Token } from "aws-cdk-lib";
import type { Function as LambdaFunction } from "aws-cdk-lib/aws-lambda";
import type { FunctionName } from "../shared/settings/variables.ts";

/** Lambda quotas: bytes of all variables of a function, names and values. */
const MOST = 4_096;

/**
 * Fails the synthesis where Lambda would refuse the deploy: names and values of the variables have more bytes than it takes,
 * counted with the shortest that CloudFormation may put in the place of a reference.
 */
export function checkVariables(of: LambdaFunction, name: FunctionName, variables: Variables): void {
  of.node.addValidation({
    validate: () => {
      const stack = Stack.of(of);
      const lengthOf = shortestIn(stack);
      const bytes = Object.entries(variables)
        .map(([key, value]) => Buffer.byteLength(key) + lengthOf(stack.resolve(value)))
        .reduce((sum, each) => sum + each, 0);
      const fault =
        `the variables of ${name} have at least ${bytes} bytes, and Lambda takes ${MOST}: ` +
        "make settings.streams, settings.spreadTags or the names of stack and router shorter";
      return bytes > MOST ? [fault] : [];
    },
  });
}

type Variables = Readonly<Record<string, string>>;

/** Bytes at least of a value whose references are resolved to intrinsic functions. */
function shortestIn(stack: Stack): (value: unknown) => number {
  const resources = stack.node.findAll().filter((child) => CfnResource.isCfnResource(child));
  const types = new Map(resources.map((one) => [stack.resolve(one.logicalId), one.cfnResourceType]));
  const stackName = Token.isUnresolved(stack.stackName) ? "" : stack.stackName;
  const ofReference = (id: string): number => {
    if (id === "AWS::StackName") return stackName.length;
    // STACK-ID-RANDOM
    const named = `${stackName}-${id}-`.length + 12;
    switch (types.get(id)) {
      case "AWS::SQS::Queue":
        return "https://sqs.us-east-1.amazonaws.com/123456789012/".length + Math.min(named, 80);
      case "AWS::DynamoDB::GlobalTable":
        // How CloudFormation cuts longer ones it does not say.
        return Math.min(named, 128);
      default:
        return "us-east-1".length;
    }
  };
  const lengthOf = (value: unknown): number => {
    if (typeof value === "string") return Buffer.byteLength(value);
    if (Array.isArray(value)) return value.reduce<number>((sum, part) => sum + lengthOf(part), 0);
    if (typeof value !== "object" || value === null) return 0;
    if ("Ref" in value) return ofReference(String(value.Ref));
    return "Fn::Join" in value && Array.isArray(value["Fn::Join"]) ? lengthOf(value["Fn::Join"][1]) : 0;
  };
  return lengthOf;
}
