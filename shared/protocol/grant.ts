import * as v from "valibot";
import { accept, type Result, refuse } from "./errors.ts";
import { noArray, parse, parseJson } from "./parse.ts";
import { EVERYONE, Tag, type Topic, UserId } from "./tag.ts";
import type { Target } from "./target.ts";

const Patterns = v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(256)));

const FixedTag = v.pipe(
  Tag,
  v.check((tag) => !tag.startsWith("user:"), "must not name a user: sub does"),
  v.metadata({ not: { pattern: "^user:" } }),
);

/** The end of the year 9999, in seconds since 1970: beyond it a time has no ISO 8601 text of four digits. */
const LAST_SECOND = 253_402_300_799;

/** The claim that holds a token's grant, unless the router is told another name. */
export const GRANT_CLAIM = "tagwire";

/** The tags that the connections of a token carry, and what it may do. Other fields are ignored. */
export const Grant = v.object({
  tags: v.optional(v.array(FixedTag), []),
  subscribe: v.optional(Patterns, []),
  publish: v.optional(Patterns, []),
  admin: v.optional(v.boolean(), false),
});
export type Grant = v.InferOutput<typeof Grant>;

/** The registered claims that a token must have (RFC 7519 §4.1). Others are checked before, or ignored. */
export const Registered = v.object({
  sub: UserId,
  /** Seconds since 1970. */
  exp: v.pipe(
    v.number(),
    v.minValue(0, "must be seconds since 1970"),
    v.maxValue(LAST_SECOND, "must be seconds since 1970, not milliseconds"),
  ),
});

/** What a token says: whom it speaks for, until when, and what it grants. */
export type Identity = v.InferOutput<typeof Registered> & Grant;

/**
 * Reads the claims of a verified token. The grant is an object, or the JSON text of one, since some issuers allow only
 * texts; without the claim nothing is granted. TOKEN_INVALID names each field that is wrong.
 */
export function identityOf(claims: Readonly<Record<string, unknown>>, claim = GRANT_CLAIM): Result<Identity> {
  const registered = parse(Registered, claims, "TOKEN_INVALID");
  const grant = grantIn(Object.hasOwn(claims, claim) ? claims[claim] : {}, claim);
  if (registered.ok && grant.ok) return accept({ ...registered.value, ...grant.value });
  const refusals = [registered, grant].flatMap((result) => (result.ok ? [] : [result.refusal]));
  const detail = refusals.map((refusal) => refusal.detail).join("; ");
  return refuse("TOKEN_INVALID", detail, { errors: refusals.flatMap(({ errors = [] }) => errors) });
}

function grantIn(value: unknown, claim: string): Result<Grant> {
  const root = `/${claim.replaceAll("~", "~0").replaceAll("/", "~1")}`;
  if (typeof value !== "string") return parse(noArray(Grant), value, "TOKEN_INVALID", root);
  const json = parseJson(value, "TOKEN_INVALID");
  if (json.ok) return parse(noArray(Grant), json.value, "TOKEN_INVALID", root);
  const detail = "must be an object, or the JSON text of one";
  return refuse("TOKEN_INVALID", `${root} ${detail}`, { errors: [{ pointer: root, detail }] });
}

/** A token that may publish nothing is a client's: it posts nothing, and reads and cancels no receipts. */
export const isProducer = ({ publish }: { readonly publish: readonly string[] }): boolean =>
  publish.length > 0;

/** `orders` is itself, `orders/*` all that starts with `orders/`, `*` everything. */
export const matches = (pattern: string, name: string): boolean =>
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
