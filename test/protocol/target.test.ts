import fc from "fast-check";
import * as v from "valibot";
import { expect, test } from "vitest";
import { parse } from "../../shared/protocol/parse.ts";
import { expressionOf, loggedTarget, Target, tagsFor, targetText } from "../../shared/protocol/target.ts";
import { targets } from "../support/arbitrary.ts";

test.each([
  { why: "it is missing", target: undefined, at: "/target" },
  { why: "it is null", target: null, at: "/target" },
  { why: "it is a text", target: "everyone", at: "/target" },
  { why: "it is an array", target: [], at: "/target" },
  { why: "it names nothing", target: {}, at: "/target" },
  { why: "it names two", target: { topic: "a", user: "b" }, at: "/target" },
  { why: "it has an unknown field", target: { topic: "a", loud: true }, at: "/target/loud" },
  { why: "everyone is not true", target: { everyone: false }, at: "/target/everyone" },
  { why: "the topic has a star", target: { topic: "orders/*" }, at: "/target/topic" },
  { why: "the user is a number", target: { user: 1001 }, at: "/target/user" },
  { why: "the connection is empty", target: { connection: "" }, at: "/target/connection" },
  { why: "the expression is empty", target: { tags: {} }, at: "/target/tags" },
  { why: "a list is empty", target: { tags: { all: [] } }, at: "/target/tags/all" },
  { why: "the second tag has no name", target: { tags: { any: ["a:b", "gd"] } }, at: "/target/tags/any/1" },
  { why: "everyone stands for a tag", target: { tags: { none: ["everyone"] } }, at: "/target/tags/none/0" },
  { why: "a list is a text", target: { tags: { all: "a:b" } }, at: "/target/tags/all" },
  { why: "a list is unknown", target: { tags: { not: ["a:b"] } }, at: "/target/tags/not" },
  {
    why: "one list names 21 tags",
    target: { tags: { all: Array.from({ length: 21 }, (_, i) => `a:${i}`) } },
    at: "/target/tags/all",
  },
  {
    why: "three lists name 21 tags",
    target: { tags: { all: seven("a"), any: seven("b"), none: seven("c") } },
    at: "/target/tags",
  },
])("a target is refused when $why", ({ target, at }) => {
  const refused = parse(v.object({ target: Target }), { target }, "MESSAGE_INVALID");
  expect(refused).toMatchObject({ ok: false, refusal: { errors: [{ pointer: at }] } });
});

function seven(name: string): string[] {
  return Array.from({ length: 7 }, (_, i) => `${name}:${i}`);
}

test.each([
  { target: { user: "1001" }, expression: { all: ["user:1001"], any: [], none: [] } },
  { target: { topic: "orders" }, expression: { all: ["topic:orders"], any: [], none: [] } },
  { target: { everyone: true }, expression: { all: ["everyone"], any: [], none: [] } },
  { target: { tags: { all: ["a:1", "b:2"] } }, expression: { all: ["a:1", "b:2"], any: [], none: [] } },
  { target: { tags: { any: ["a:1", "b:2"] } }, expression: { all: [], any: ["a:1", "b:2"], none: [] } },
  { target: { tags: { any: ["a:1"] } }, expression: { all: ["a:1"], any: [], none: [] } },
  {
    target: { tags: { all: ["a:1"], any: ["b:2"] } },
    expression: { all: ["a:1", "b:2"], any: [], none: [] },
  },
  { target: { tags: { none: ["a:1"] } }, expression: { all: ["everyone"], any: [], none: ["a:1"] } },
  {
    target: { tags: { all: ["a:1", "a:1"], none: ["b:2", "b:2"] } },
    expression: { all: ["a:1"], any: [], none: ["b:2"] },
  },
])("$target is the expression $expression", ({ target, expression }) => {
  expect(expressionOf(v.parse(Target, target) as Parameters<typeof expressionOf>[0])).toEqual(expression);
});

test("every target that is accepted comes out as it went in, and has a list to start from", () => {
  fc.assert(
    fc.property(targets, (input) => {
      const target = v.parse(Target, input);
      expect(target).toEqual(input);
      if ("connection" in target) return;
      const { all, any } = expressionOf(target);
      expect(all.length + any.length).toBeGreaterThan(0);
    }),
  );
});

test.each([
  { target: { connection: "abc=" }, found: [] },
  { target: { user: "1001" }, found: ["user:1001"] },
  { target: { tags: { all: ["a:1"], any: ["b:2", "c:3"], none: ["d:4"] } }, found: ["a:1", "b:2", "c:3"] },
  { target: { tags: { none: ["d:4"] } }, found: ["everyone"] },
])("connections are found for $target by $found", ({ target, found }) => {
  expect(tagsFor(v.parse(Target, target))).toEqual(found);
});

test.each([
  { target: { everyone: true }, text: "everyone", logged: "everyone" },
  { target: { topic: "orders" }, text: "topic:orders", logged: "topic:orders" },
  { target: { connection: "abc=" }, text: "connection:abc=", logged: "connection:abc=" },
  // An expression may be long.
  { target: { tags: { all: ["a:1"] } }, text: '{"all":["a:1"]}', logged: "tags" },
])("$target is written as $text, and logged as $logged", ({ target, text, logged }) => {
  const read = v.parse(Target, target);
  expect(targetText(read)).toBe(text);
  expect(loggedTarget(read)).toBe(logged);
});
