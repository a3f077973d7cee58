import { App, type CfnElement, Stack } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import type { IConstruct } from "constructs";
import { Tagwire, type TagwireProps } from "../../infra/index.ts";

/** What a template says of a resource. */
export type Properties = Readonly<Record<string, never>>;

/** Props, or what makes them out of things of the same stack. */
type Props = TagwireProps | ((stack: Stack) => TagwireProps);

/** An app whose functions are not bundled. */
export const unbundled = (): App =>
  new App({
    context: { "aws:cdk:bundling-stacks": [] },
    builtinCloudFormationValidation: false,
    treeMetadata: false,
  });

/** A stack that holds nothing but a router. Its functions are not bundled. */
export function routerStack(props?: Props, region?: string, app = unbundled()) {
  const stack = new Stack(app, "Test", region ? { env: { region } } : {});
  return {
    stack,
    router: new Tagwire(stack, "Router", typeof props === "function" ? props(stack) : props),
  };
}

/** The template of such a stack, and its resources by construct. */
export function synth(props?: Props, region?: string) {
  const { stack, router } = routerStack(props, region);
  const template = Template.fromStack(stack);
  const idOf = (construct: IConstruct) => stack.getLogicalId(construct.node.defaultChild as CfnElement);
  const propertiesOf = (construct: IConstruct): Properties =>
    template.toJSON().Resources[idOf(construct)].Properties;
  const variablesOf = (of: IFunction): Readonly<Record<string, unknown>> =>
    template.toJSON().Resources[idOf(of)].Properties.Environment.Variables;
  return { template, router, idOf, propertiesOf, variablesOf };
}

/** Every statement of every policy of a kind of resource. */
export function statementsIn(template: Template, type: string): Properties[] {
  return Object.values(template.findResources(type)).flatMap(
    ({ Properties }) => Properties.PolicyDocument.Statement,
  );
}
