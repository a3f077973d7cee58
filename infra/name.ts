import { createHash } from "node:crypto";
import { Aws, Names, Stack, Token } from "aws-cdk-lib";
import type { IConstruct } from "constructs";

/** SQS: a queue's name has at most 80 characters. The mark of the stack and the longest ending take 22. */
const NAME = /^[A-Za-z0-9_-]{1,58}$/;

/** CloudWatch takes dimension values of printable ASCII; a stack's name has at most 128 characters. */
const PATH = /^[\x21-\x7e]{1,126}$/;

/**
 * What names begin with: what the owner wants, or else something made of the construct's path. Throws where it breaks a
 * rule, or where another router of the stack has it.
 */
export function nameOf(construct: IConstruct, wanted: string | undefined): string {
  if (wanted === undefined) return Names.uniqueResourceName(construct, { maxLength: 40 });
  if (Token.isUnresolved(wanted) || !NAME.test(wanted))
    throw new Error(
      `name must be 1-58 of A-Z a-z 0-9 _ -, known at synth, since the names of SQS queues are made of it (80 at most): got ${JSON.stringify(wanted)}`,
    );
  const stack = Stack.of(construct);
  const names = taken.get(stack) ?? new Set();
  if (names.has(wanted)) throw new Error(`another router of stack ${stack.node.path} has the name ${wanted}`);
  taken.set(stack, names.add(wanted));
  return wanted;
}

/** The names that the owners of a stack's routers chose. */
const taken = new WeakMap<Stack, Set<string>>();

/**
 * What a router is called in metrics, at most 255 characters: STACK/PATH. An account and Region have a stack's name
 * once, and a stack has a path once.
 */
export function routerName(construct: IConstruct): string {
  const stack = Stack.of(construct);
  const path = construct.node.path.slice(stack.node.path.length).replace(/^\//, "");
  return `${Aws.STACK_NAME}/${PATH.test(path) ? path : shortened(path)}`;
}

const shortened = (path: string): string => {
  const hash = createHash("sha256").update(path).digest("hex").slice(0, 16);
  return `${path.replaceAll(/[^\x21-\x7e]/g, "_").slice(0, 109)}-${hash}`;
};
