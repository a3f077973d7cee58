import fc from "fast-check";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { identityOf, isProducer, mayPublish, maySubscribe } from "../../shared/protocol/grant.ts";
import { Topic } from "../../shared/protocol/tag.ts";
import { Target } from "../../shared/protocol/target.ts";
import { claimsOf } from "../../testing/sign-token.ts";
import { connectionIds, tags, targets, topics, users } from "../support/arbitrary.ts";

describe("publish", () => {
  test.each([
    { grant: ["topic:orders"], target: { topic: "orders" }, may: true },
    { grant: ["topic:orders"], target: { topic: "orders/eu" }, may: false },
    { grant: ["topic:orders/*"], target: { topic: "orders/eu" }, may: true },
    { grant: ["topic:orders/*"], target: { topic: "orders" }, may: false },
    { grant: ["orders"], target: { topic: "orders" }, may: false },
    { grant: ["user:*"], target: { user: "1001" }, may: true },
    { grant: ["user:*"], target: { topic: "orders" }, may: false },
    { grant: ["connection:abc="], target: { connection: "abc=" }, may: true },
    { grant: ["user:*", "topic:*"], target: { connection: "abc=" }, may: false },
    { grant: ["user:*", "topic:*"], target: { everyone: true }, may: false },
    { grant: ["everyone"], target: { everyone: true }, may: true },
    { grant: ["*"], target: { everyone: true }, may: true },
    { grant: [], target: { everyone: true }, may: false },
    { grant: ["region:gd"], target: { tags: { all: ["region:gd", "plan:pro"] } }, may: true },
    { grant: ["region:gd"], target: { tags: { any: ["region:gd", "plan:pro"] } }, may: false },
    { grant: ["region:gd", "plan:*"], target: { tags: { any: ["region:gd", "plan:pro"] } }, may: true },
    { grant: ["region:gd"], target: { tags: { none: ["region:gd"] } }, may: false },
    { grant: ["region:gd"], target: { tags: { all: ["x:y"], none: ["region:gd"] } }, may: false },
    { grant: ["region:gd"], target: { tags: { all: ["region:gd"], any: ["a:1", "b:2"] } }, may: true },
    { grant: ["everyone"], target: { tags: { none: ["region:gd"] } }, may: true },
  ])("$grant to $target: $may", ({ grant, target, may }) => {
    expect(mayPublish({ publish: grant }, v.parse(Target, target))).toBe(may);
  });

  test("never lets a message reach anybody outside the grant", () => {
    const connections = fc.record({ id: connectionIds, user: users, tags: fc.array(tags, { maxLength: 5 }) });
    fc.assert(
      fc.property(
        fc.array(connections),
        targets,
        fc.array(patterns, { maxLength: 3 }),
        (all, input, publish) => {
          const target = v.parse(Target, input);
          if (!mayPublish({ publish }, target)) return;
          for (const connection of all) {
            const names = namesOf(connection);
            if (isFor(input, names)) expect(names.some((name) => isGranted(publish, name))).toBe(true);
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

/** Everything that a grant can name a connection by. */
const namesOf = ({ id, user, tags: held }: { id: string; user: string; tags: readonly string[] }) => [
  `connection:${id}`,
  "everyone",
  `user:${user}`,
  ...held,
];

type Asked = typeof targets extends fc.Arbitrary<infer T> ? T : never;

/** Whom a target is for, by the words of docs/protocol.md. */
function isFor(target: Asked, names: readonly string[]): boolean {
  if ("connection" in target) return names.includes(`connection:${target.connection}`);
  if ("user" in target) return names.includes(`user:${target.user}`);
  if ("topic" in target) return names.includes(`topic:${target.topic}`);
  if ("everyone" in target) return true;
  const { all = [], any, none = [] } = target.tags;
  const holds = (tag: string) => names.includes(tag);
  return all.every(holds) && (any === undefined || any.some(holds)) && !none.some(holds);
}

const patterns = fc.oneof(
  tags,
  tags.map((tag) => `${tag.slice(0, -1)}*`),
  fc.constantFrom("*", "everyone", "user:*", "topic:*", "topic:a*", "connection:*", "plan:*"),
);

const isGranted = (grants: readonly string[], name: string) =>
  grants.some((grant) => {
    const [, start = "", star] = /^(.*?)(\*?)$/s.exec(grant) ?? [];
    return star ? name.startsWith(start) : name === start;
  });

describe("subscribe", () => {
  test.each([
    { grant: ["orders"], topic: "orders", may: true },
    { grant: ["orders"], topic: "orders2", may: false },
    { grant: ["orders/*"], topic: "orders/eu", may: true },
    { grant: ["orders/*"], topic: "orders", may: false },
    { grant: ["topic:orders"], topic: "orders", may: false },
    { grant: ["*"], topic: "anything", may: true },
    { grant: [], topic: "orders", may: false },
  ])("$grant to $topic: $may", ({ grant, topic, may }) => {
    expect(maySubscribe({ subscribe: grant }, v.parse(Topic, topic))).toBe(may);
  });

  test("a topic is granted by its own name, its beginning or everything, and by nothing else", () => {
    fc.assert(
      fc.property(
        topics,
        fc.array(
          fc.oneof(
            topics,
            topics.map((t) => `${t}*`),
          ),
        ),
        (topic, subscribe) => {
          expect(maySubscribe({ subscribe }, v.parse(Topic, topic))).toBe(isGranted(subscribe, topic));
        },
      ),
    );
  });
});

describe("claims", () => {
  test("what a token leaves out, it does not grant; other claims are ignored", () => {
    expect(identityOf({ sub: "ann", exp: 2, iat: 1, scope: "all", publish: ["*"] })).toEqual({
      ok: true,
      value: { sub: "ann", tags: [], subscribe: [], publish: [], admin: false, exp: 2 },
    });
  });

  test.each([
    { why: "there is no sub", claims: {}, at: "/sub" },
    { why: "sub is a number", claims: { sub: 1001 }, at: "/sub" },
    { why: "sub has a star", claims: { sub: "*" }, at: "/sub" },
    { why: "a tag has no name", claims: { sub: "ann", tags: ["gd"] }, at: "/tagwire/tags/0" },
    { why: "a tag is everyone", claims: { sub: "ann", tags: ["everyone"] }, at: "/tagwire/tags/0" },
    { why: "a tag names a user", claims: { sub: "ann", tags: ["user:bob"] }, at: "/tagwire/tags/0" },
    { why: "subscribe is a text", claims: { sub: "ann", subscribe: "*" }, at: "/tagwire/subscribe" },
    { why: "publish holds a number", claims: { sub: "ann", publish: ["a", 1] }, at: "/tagwire/publish/1" },
    { why: "a pattern is empty", claims: { sub: "ann", publish: [""] }, at: "/tagwire/publish/0" },
    { why: "admin is a text", claims: { sub: "ann", admin: "true" }, at: "/tagwire/admin" },
    { why: "a list is null", claims: { sub: "ann", publish: null }, at: "/tagwire/publish" },
    { why: "there is no exp", claims: { sub: "ann", exp: undefined }, at: "/exp" },
    { why: "exp is a text", claims: { sub: "ann", exp: "2" }, at: "/exp" },
    { why: "exp has no end", claims: { sub: "ann", exp: Number.POSITIVE_INFINITY }, at: "/exp" },
  ])("claims are refused when $why", ({ claims, at }) => {
    expect(identityOf(claimsOf({ exp: 2, ...claims }))).toMatchObject({
      ok: false,
      refusal: { code: "TOKEN_INVALID", errors: [{ pointer: at }] },
    });
  });
});

describe("the claim that holds the grant", () => {
  const grant = { publish: ["topic:*"], admin: true };
  const wanted = { ok: true, value: { publish: ["topic:*"], admin: true, subscribe: [] } };

  test("is an object, or the JSON text of one", () => {
    expect(identityOf({ sub: "ann", exp: 2, tagwire: grant })).toMatchObject(wanted);
    expect(identityOf({ sub: "ann", exp: 2, tagwire: JSON.stringify(grant) })).toMatchObject(wanted);
  });

  test("may have another name, and then no other claim grants anything", () => {
    const name = "https://acme.example/tagwire";
    expect(identityOf({ sub: "ann", exp: 2, [name]: grant }, name)).toMatchObject(wanted);
    const bare = identityOf({ sub: "ann", exp: 2, tagwire: grant }, name);
    expect(bare).toMatchObject({ ok: true, value: { publish: [], admin: false } });
  });

  test.each([
    { why: "it is text that is not JSON", tagwire: "publish" },
    { why: "its JSON is no object", tagwire: "[]" },
    { why: "it is a list", tagwire: [] },
    { why: "it is a number", tagwire: 1 },
    { why: "it is null", tagwire: null },
  ])("is refused by its name when $why", ({ tagwire }) => {
    expect(identityOf({ sub: "ann", exp: 2, tagwire })).toMatchObject({
      ok: false,
      refusal: { code: "TOKEN_INVALID", errors: [{ pointer: "/tagwire" }] },
    });
  });

  test("is named with its slashes escaped", () => {
    const claims = { sub: "ann", exp: 2, "https://acme.example/t~w": { admin: 1 } };
    expect(identityOf(claims, "https://acme.example/t~w")).toMatchObject({
      refusal: { errors: [{ pointer: "/https:~1~1acme.example~1t~0w/admin" }] },
    });
  });
});

test("a token is a producer's if it may publish anything at all", () => {
  expect([isProducer({ publish: [] }), isProducer({ publish: ["topic:a"] })]).toEqual([false, true]);
});
