import { createHash } from "node:crypto";
import { Aws, Lazy, Stack } from "aws-cdk-lib";
import type { IConstruct } from "constructs";
import type { Lane } from "../shared/protocol/lane.ts";
import { pascalCase } from "../shared/settings/pascal-case.ts";

/**
 * The id of what is made for a lane. The queue of `fanout-normal` was that of the one fanout lane before. It keeps its
 * id, since an update would delete it, with all jobs in it, under another one.
 */
export const laneId = (lane: Lane): string => (lane === "fanout-normal" ? "Fanout" : pascalCase(lane));

/** CloudWatch takes dimension values of printable ASCII; a stack's name has at most 128 characters. */
const PATH = /^[\x21-\x7e]{1,126}$/;

/**
 * What a router is called in metrics, at most 255 characters: STACK/PATH. An account and Region have a stack's name
 * once, and a stack has a path once.
 */
export function routerName(construct: IConstruct): string {
  const stack = Stack.of(construct);
  const path = construct.node.path.slice(stack.node.path.length).replace(/^\//, "");
  return `${nameOf(stack)}/${PATH.test(path) ? path : shortened(path)}`;
}

/** In the stack itself the name that it is deployed under; in another one, which may show its metrics, its name in the app. */
const nameOf = (stack: Stack): string =>
  Lazy.uncachedString({
    produce: ({ scope }) => (Stack.of(scope) === stack ? Aws.STACK_NAME : stack.stackName),
  });

const shortened = (path: string): string => {
  const hash = createHash("sha256").update(path).digest("hex").slice(0, 16);
  return `${path.replaceAll(/[^\x21-\x7e]/g, "_").slice(0, 109)}-${hash}`;
};
