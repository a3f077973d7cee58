import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseExpression } from "../../cli/expression.ts";

describe("a tag expression", () => {
  test.each([
    { text: "region:gd", tags: { all: ["region:gd"] } },
    {
      text: "region:gd vip:yes none user:1001",
      tags: { all: ["region:gd", "vip:yes"], none: ["user:1001"] },
    },
    { text: "any plan:pro plan:team", tags: { any: ["plan:pro", "plan:team"] } },
    { text: " all a:1 any b:1 all c:1\n", tags: { all: ["a:1", "c:1"], any: ["b:1"] } },
    { text: "a:all b:(x,y)|!z", tags: { all: ["a:all", "b:(x,y)|!z"] } },
  ])("$text means $tags", ({ text, tags }) => {
    expect(parseExpression(text)).toEqual({ tags });
  });

  test.each([
    { why: "it is empty", text: "  ", says: "at least one of all, any, none" },
    { why: "a word has no tag", text: "region:gd any", says: "/tags/any must name at least one tag" },
    { why: "a word has no tag before the next", text: "any none user:1", says: "/tags/any must name" },
    { why: "a word is misspelt", text: "region:gd nnoe user:1", says: 'got "nnoe"' },
    { why: "a tag is none", text: "Region:gd", says: "must be a tag: name:value" },
  ])("is refused when $why", ({ text, says }) => {
    expect(() => parseExpression(text)).toThrow(says);
  });

  test("comes back from its text, whatever the tags hold", () => {
    const value = fc
      .string({ unit: "grapheme", minLength: 1, maxLength: 20 })
      .filter((s) => /^[^\s*\p{C}]+$/u.test(s));
    const tag = fc.tuple(fc.stringMatching(/^[a-z][a-z0-9_-]{0,10}$/), value).map((parts) => parts.join(":"));
    const list = fc.array(tag, { minLength: 1, maxLength: 6 });
    const expression = fc.record({ all: list, any: list, none: list }, { requiredKeys: [] });
    fc.assert(
      fc.property(
        expression.filter((tags) => Object.keys(tags).length > 0),
        (tags) => {
          const text = Object.entries(tags).map(([word, some]) => [word, ...some].join(" "));
          expect(parseExpression(text.join(" "))).toEqual({ tags });
        },
      ),
    );
  });
});
