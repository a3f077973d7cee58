import fc from "fast-check";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { Grant, identityOf, mayPublish } from "../../shared/protocol/grant.ts";
import type { Tag } from "../../shared/protocol/tag.ts";
import { Target } from "../../shared/protocol/target.ts";
import { text } from "../../shared/protocol/text.ts";

describe("a text has as many characters as people count", () => {
  const holds = (most: number, value: string) => v.safeParse(text(most), value).success;

  test.each([
    { value: "", most: 0, ok: true },
    { value: "a", most: 0, ok: false },
    { value: "abc", most: 3, ok: true },
    { value: "abcd", most: 3, ok: false },
    { value: "🎉🎉🎉", most: 3, ok: true },
    { value: "🎉🎉🎉🎉", most: 3, ok: false },
    { value: "🎉🎉a", most: 3, ok: true },
    { value: "🎉aaa", most: 3, ok: false },
    { value: "\ud800\ud800\ud800", most: 3, ok: true },
    { value: "\ud800\ud800\ud800\ud800", most: 3, ok: false },
  ])("$value in at most $most: $ok", ({ value, most, ok }) => {
    expect(holds(most, value)).toBe(ok);
  });

  test("whatever they are", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 30 }), fc.nat(30), (value, most) => {
        let characters = 0;
        for (const _ of value) characters++;
        expect(holds(most, value)).toBe(characters <= most);
      }),
    );
  });

  test("and of one that is far too long nothing but its length is read", () => {
    const long = "🎉".repeat(5_000_000);
    const before = performance.now();
    for (let i = 0; i < 1_000; i++) expect(holds(100, long)).toBe(false);
    // To take its characters apart a thousand times would be minutes.
    expect(performance.now() - before).toBeLessThan(10_000);
  });
});

describe("the claim of a grant", () => {
  const claims = { sub: "ann", exp: 1_800_000_000 };
  const refused = (more: object, claim?: string) => {
    const result = identityOf({ ...claims, ...more }, claim);
    return result.ok ? undefined : result.refusal;
  };
  const SHAPE = "must be an object, or the JSON text of one";

  test.each([
    { tagwire: '{"publish":["*"]}', publish: ["*"] },
    { tagwire: { publish: ["*"] }, publish: ["*"] },
    { tagwire: "{}", publish: [] },
    { publish: [] },
  ])("$tagwire grants to publish $publish", ({ publish, ...claim }) => {
    expect(identityOf({ ...claims, ...claim })).toMatchObject({ ok: true, value: { sub: "ann", publish } });
  });

  test.each(["", "publish", "{", "{}}"])("is refused as the text %j, in words", (tagwire) => {
    expect(refused({ tagwire })).toEqual({
      ...{ code: "TOKEN_INVALID", detail: `/tagwire ${SHAPE}` },
      errors: [{ pointer: "/tagwire", detail: SHAPE }],
    });
  });

  test.each([
    { tagwire: [], at: "/tagwire" },
    { tagwire: "[]", at: "/tagwire" },
    { tagwire: 7, at: "/tagwire" },
    { tagwire: "7", at: "/tagwire" },
    { tagwire: { publish: "*" }, at: "/tagwire/publish" },
    { tagwire: '{"tags":["user:bob"]}', at: "/tagwire/tags/0" },
  ])("is refused as $tagwire at $at", ({ tagwire, at }) => {
    const refusal = refused({ tagwire });
    expect(refusal).toMatchObject({ code: "TOKEN_INVALID", errors: [{ pointer: at }] });
    expect(refusal?.detail).toMatch(new RegExp(`^${at} must `));
  });

  test("of another name is named as a JSON pointer", () => {
    expect(refused({ "https://a/~b": "{" }, "https://a/~b")?.errors?.[0]?.pointer).toBe("/https:~1~1a~1~0b");
  });

  test("is refused together with all else that is wrong", () => {
    expect(refused({ sub: 7, tagwire: "{" })).toEqual({
      code: "TOKEN_INVALID",
      detail: `/sub must be string, got 7; /tagwire ${SHAPE}`,
      errors: [
        { pointer: "/sub", detail: "must be string, got 7" },
        { pointer: "/tagwire", detail: SHAPE },
      ],
    });
  });

  test("may hold any tag but one of a user", () => {
    const holds = (tag: string) => v.safeParse(Grant, { tags: [tag] }).success;
    expect(["region:gd", "users:ann", "team:user:ann"].map(holds)).toEqual([true, true, true]);
    expect(["user:ann", "user:"].map(holds)).toEqual([false, false]);
  });
});

describe("a target", () => {
  const tags = (count: number, name = "t") => Array.from({ length: count }, (_, i) => `${name}:${i}`);
  const holds = (target: unknown) => v.safeParse(Target, target).success;

  test.each([
    { expression: { all: tags(20) }, ok: true },
    { expression: { all: tags(21) }, ok: false },
    { expression: { all: tags(10), any: tags(5), none: tags(5) }, ok: true },
    { expression: { all: tags(10), any: tags(5), none: tags(6) }, ok: false },
    { expression: { none: tags(1) }, ok: true },
    { expression: { none: [] }, ok: false },
    { expression: {}, ok: false },
  ])("names twenty tags at most and at least one: $ok", ({ expression, ok }) => {
    expect(holds({ tags: expression })).toBe(ok);
  });

  test("of tags is within a grant that has one of `all` or each of `any`, and no wider", () => {
    const may = (publish: string[], expression: { all?: Tag[]; any?: Tag[]; none?: Tag[] }) =>
      mayPublish({ publish }, { tags: expression });
    const [a, b] = ["team:a", "team:b"] as Tag[] as [Tag, Tag];
    expect(may(["team:a"], { all: [a, b] })).toBe(true);
    expect(may(["team:c"], { all: [a, b] })).toBe(false);
    expect(may(["team:a"], { any: [a, b] })).toBe(false);
    expect(may(["team:*"], { any: [a, b] })).toBe(true);
    expect(may(["team:*"], { none: [a] })).toBe(false);
    expect(may(["everyone"], { none: [a] })).toBe(true);
    // A grant for a tag by any other name must not be taken for one of these.
    expect(may(["S*"], { all: [a], any: [b] })).toBe(false);
    expect(may(["S*"], { none: [a] })).toBe(false);
    expect(may(["S*", "team:a"], { any: [a] })).toBe(true);
  });
});
