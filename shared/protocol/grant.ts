import * as v from "valibot";
import { EVERYONE, Tag, type Topic, UserId } from "./tag.ts";
import type { Target } from "./target.ts";

const Patterns = v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(256)));

const FixedTag = v.pipe(
  Tag,
  v.check((tag) => !tag.startsWith("user:"), "must not name a user: sub does"),
);

/** The end of the year 9999, in seconds since 1970: beyond it a time has no ISO 8601 text of four digits. */
const LAST_SECOND = 253_402_300_799;

/** What a token says: who it is, the tags its connections carry, and what it may do. Other claims are ignored. */
export const Identity = v.object({
  sub: UserId,
  tags: v.optional(v.array(FixedTag), []),
  subscribe: v.optional(Patterns, []),
  publish: v.optional(Patterns, []),
  admin: v.optional(v.boolean(), false),
  /** Seconds since 1970 (RFC 7519 §4.1.4). */
  exp: v.pipe(
    v.number(),
    v.minValue(0, "must be seconds since 1970"),
    v.maxValue(LAST_SECOND, "must be seconds since 1970, not milliseconds"),
  ),
});
export type Identity = v.InferOutput<typeof Identity>;

/** A token that may publish nothing is a client's: it posts nothing, and reads and cancels no receipts. */
export const isProducer = ({ publish }: { readonly publish: readonly string[] }): boolean =>
  publish.length > 0;

/** `orders` is itself, `orders/*` all that starts with `orders/`, `*` everything. */
const matches = (pattern: string, name: string): boolean =>
  pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : pattern === name;

const granted = (patterns: readonly string[], name: string) =>
  patterns.some((pattern) => matches(pattern, name));

export const maySubscribe = (
  { subscribe }: { readonly subscribe: readonly string[] },
  topic: Topic,
): boolean => granted(subscribe, topic);

/**
 * Whether everyone the target can reach is within the grant. An `all` is no wider than its narrowest tag, so
 * one granted tag is enough; an `any` is as wide as all its tags together, so each must be granted.
 */
export function mayPublish({ publish }: { readonly publish: readonly string[] }, target: Target): boolean {
  const may = (name: string) => granted(publish, name);
  if ("connection" in target) return may(`connection:${target.connection}`);
  if ("user" in target) return may(`user:${target.user}`);
  if ("topic" in target) return may(`topic:${target.topic}`);
  if ("everyone" in target) return may(EVERYONE);
  const { all = [], any = [] } = target.tags;
  return may(EVERYONE) || all.some(may) || (any.length > 0 && any.every(may));
}
