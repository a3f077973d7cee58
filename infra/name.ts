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

/** Characters of a router's path: CloudWatch takes 255 of a dimension's value, and a stack's name has at most 128. */
const MOST = 126;

/** Those of it in the name of a query, which has 255 as well, but holds more than stack and path. */
const MOST_OF_QUERY = 110;

/** CloudWatch takes dimension values of printable ASCII. */
const PRINTABLE = /^[\x21-\x7e]+$/;

/**
 * What a router is called in metrics, at most 255 characters: STACK/PATH. An account and Region have a stack's name
 * once, and a stack has a path once.
 */
export const routerName = (construct: IConstruct): string => named(construct, MOST);

/** The name of the query that shows all of a message: a path, of which the console makes folders. It has no `:` or `*` (Logs). */
export const queryName = (router: IConstruct): string =>
  `Tagwire/${named(router, MOST_OF_QUERY, /[:*]/g)}/message`;

function named(construct: IConstruct, most: number, refused = /(?!)/g): string {
  const stack = Stack.of(construct);
  const path = construct.node.path.slice(stack.node.path.length).replace(/^\//, "");
  const isShort = PRINTABLE.test(path) && path.length <= most;
  return `${nameOf(stack)}/${(isShort ? path : shortened(path, most)).replaceAll(refused, "_")}`;
}

/** In the stack itself the name that it is deployed under; in another one, which may show its metrics, its name in the app. */
const nameOf = (stack: Stack): string =>
  Lazy.uncachedString({
    produce: ({ scope }) => (Stack.of(scope) === stack ? Aws.STACK_NAME : stack.stackName),
  });

const shortened = (path: string, most: number): string => {
  const hash = createHash("sha256").update(path).digest("hex").slice(0, 16);
  return `${path.replaceAll(/[^\x21-\x7e]/g, "_").slice(0, most - hash.length - 1)}-${hash}`;
};
