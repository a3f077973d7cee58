import * as v from "valibot";
import { EXPRESSION_TAGS } from "./limits.ts";
import { exactObject, noArray } from "./parse.ts";
import { ConnectionId, EVERYONE, Tag, Topic, topicTag, UserId, userTag } from "./tag.ts";

const TOO_MANY = `must name at most ${EXPRESSION_TAGS} tags`;

// Counted first: what is wrong with each of a hundred thousand is of no use.
const Tags = v.pipe(
  v.array(v.unknown()),
  v.minLength(1, "must name at least one tag"),
  v.maxLength(EXPRESSION_TAGS, TOO_MANY),
  v.array(Tag),
);

const Expression = v.pipe(
  exactObject({ all: v.optional(Tags), any: v.optional(Tags), none: v.optional(Tags) }),
  v.check((e) => size(e) > 0, "must have at least one of all, any, none"),
  v.metadata({ minProperties: 1 }),
  v.check((e) => size(e) <= EXPRESSION_TAGS, TOO_MANY),
);

const size = (e: {
  all?: unknown[] | undefined;
  any?: unknown[] | undefined;
  none?: unknown[] | undefined;
}) => [e.all, e.any, e.none].reduce((n, tags) => n + (tags?.length ?? 0), 0);

const KINDS = {
  connection: exactObject({ connection: ConnectionId }),
  user: exactObject({ user: UserId }),
  topic: exactObject({ topic: Topic }),
  tags: exactObject({ tags: noArray(Expression) }),
  everyone: exactObject({ everyone: v.literal(true) }),
};

const { connection, user, topic, tags, everyone } = KINDS;
const AnyKind = v.union([connection, user, topic, tags, everyone]);

/** Whom a message is for: exactly one of the five kinds. Of no input, the schema is that of all of them. */
export const Target = v.lazy((input) => {
  if (input === undefined) return AnyKind;
  const named = Object.keys(KINDS).filter(
    (kind) => typeof input === "object" && input !== null && kind in input,
  );
  const only = named.length === 1 ? KINDS[named[0] as keyof typeof KINDS] : undefined;
  return (only ?? NO_KIND) as v.GenericSchema<unknown, TargetOf>;
});
type TargetOf = { [K in keyof typeof KINDS]: v.InferOutput<(typeof KINDS)[K]> }[keyof typeof KINDS];
export type Target = v.InferOutput<typeof Target>;

const NO_KIND = v.custom<never>(
  () => false,
  `must be an object with exactly one of ${Object.keys(KINDS).join(", ")}`,
);

/** An expression in full: the connections that hold all of `all`, one of `any` (if it names any) and none of `none`. */
export interface Expression {
  readonly all: readonly Tag[];
  readonly any: readonly Tag[];
  readonly none: readonly Tag[];
}

/** Every target but a single connection is a tag expression. */
export function expressionOf(target: Exclude<Target, { connection: unknown }>): Expression {
  if ("user" in target) return holdersOf(userTag(target.user));
  if ("topic" in target) return holdersOf(topicTag(target.topic));
  if ("everyone" in target) return holdersOf(EVERYONE);
  const { all = [], any = [], none = [] } = target.tags;
  const needed = any.length === 1 ? [...all, ...any] : all;
  const choice = any.length === 1 ? [] : any;
  const positive = needed.length + choice.length > 0;
  return { all: positive ? unique(needed) : [EVERYONE], any: unique(choice), none: unique(none) };
}

/** The tags that a connection may have been found by. */
export const tagsFor = (target: Target): readonly Tag[] => {
  if ("connection" in target) return [];
  const { all, any } = expressionOf(target);
  return [...all, ...any];
};

const holdersOf = (tag: Tag): Expression => ({ all: [tag], any: [], none: [] });
const unique = (tags: readonly Tag[]) => [...new Set(tags)];

/** `topic:orders`, as command lines and logs have it; an expression as JSON. */
export function targetText(target: Target): string {
  if ("everyone" in target) return "everyone";
  if ("tags" in target) return JSON.stringify(target.tags);
  const [[kind, value] = []] = Object.entries(target);
  return `${kind}:${value}`;
}

/** The same for a record of the log. An expression may be long, and the message has it. */
export const loggedTarget = (target: Target): string => ("tags" in target ? "tags" : targetText(target));
