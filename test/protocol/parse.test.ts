import fc from "fast-check";
import * as v from "valibot";
import { expect, test } from "vitest";
import { exactObject, parse, parseJson } from "../../shared/protocol/parse.ts";

const Thing = exactObject({ name: v.string(), size: v.optional(v.number()) });

const errorsOf = (schema: v.GenericSchema, input: unknown, root?: string) => {
  const parsed = parse(schema, input, "MESSAGE_INVALID", root);
  return parsed.ok ? [] : (parsed.refusal.errors ?? []);
};

test("names all bad fields at once, unknown ones too", () => {
  expect(parse(Thing, { size: "big", colour: 1, weight: 2 }, "MESSAGE_INVALID")).toEqual({
    ok: false,
    refusal: {
      code: "MESSAGE_INVALID",
      detail:
        '/name is missing; /size must be number, got "big"; /colour is not a known field; /weight is not a known field',
      errors: [
        { pointer: "/name", detail: "is missing" },
        { pointer: "/size", detail: 'must be number, got "big"' },
        { pointer: "/colour", detail: "is not a known field" },
        { pointer: "/weight", detail: "is not a known field" },
      ],
    },
  });
});

test.each([
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
])("a field called %s is as unknown as any other", (name) => {
  const input: unknown = JSON.parse(`{"name":"a","${name}":1}`);
  expect(errorsOf(Thing, input)).toEqual([{ pointer: `/${name}`, detail: "is not a known field" }]);
});

test.each([null, "text", 1, true])("%j is no object", (input) => {
  expect(errorsOf(Thing, input)).toEqual([
    { pointer: "", detail: expect.stringContaining("must be Object") },
  ]);
});

test("a pointer leads to the bad value, whatever its keys are called (RFC 6901)", () => {
  const keys = fc.oneof(fc.constantFrom("", "/", "~", "~1", "a/b", "0", " "), fc.string({ maxLength: 20 }));
  fc.assert(
    fc.property(fc.array(keys, { minLength: 1, maxLength: 5 }), (path) => {
      const schema = path.reduceRight<v.GenericSchema>(
        (inner, key) => v.object({ [key]: inner }),
        v.number(),
      );
      const input = path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), "bad");
      fc.pre(!path.includes("__proto__"));
      expect(errorsOf(schema, input, "/7").map(({ pointer }) => follow({ 7: input }, pointer))).toEqual([
        "bad",
      ]);
    }),
  );
});

function follow(value: unknown, pointer: string): unknown {
  const keys = pointer.split("/").slice(1);
  return keys.reduce<unknown>((at, key) => {
    const name = key.replaceAll("~1", "/").replaceAll("~0", "~");
    return (at as Readonly<Record<string, unknown>>)[name];
  }, value);
}

test("names at most a hundred bad fields and counts the rest", () => {
  const input = Object.fromEntries(Array.from({ length: 150 }, (_, i) => [`field-${i}`, i]));
  const refused = parse(exactObject({}), input, "MESSAGE_INVALID");
  expect(refused).toMatchObject({ refusal: { detail: expect.stringMatching(/; and 50 more$/) } });
  expect(errorsOf(exactObject({}), input)).toHaveLength(100);
});

test("an answer stays far smaller than a frame, however long the bad names and values are", () => {
  const name = (i: number) => `${i}${"~\u0001".repeat(5_000)}`;
  const input = Object.fromEntries(Array.from({ length: 150 }, (_, i) => [name(i), "x".repeat(5_000)]));
  const refused = parse(exactObject({}), input, "MESSAGE_INVALID");
  expect(JSON.stringify(refused).length).toBeLessThan(131_072);
});

test("what is told of a text never ends in half a character", () => {
  const [error] = errorsOf(v.number(), `${"x".repeat(58)}😀😀`);
  expect(error?.detail).toMatch(/x…$/);
});

test.each([
  { text: "", detail: "the body is empty, send JSON" },
  { text: " \n", detail: "the body is empty, send JSON" },
  { text: "{", detail: "the text is not JSON" },
  { text: "{'a':1}", detail: "the text is not JSON" },
  { text: "\ufeff{}", detail: "the text is not JSON" },
  { text: "NaN", detail: "the text is not JSON" },
])("$text is not JSON", ({ text, detail }) => {
  expect(parseJson(text)).toEqual({ ok: false, refusal: { code: "BODY_NOT_JSON", detail } });
});

test("JSON of any depth is read", () => {
  expect(parseJson(`${"[".repeat(500_000)}${"]".repeat(500_000)}`)).toMatchObject({ ok: true });
});

test("what is no object where one belongs is told so, once", () => {
  expect(errorsOf(Thing, ["a", "b"])).toEqual([
    { pointer: "", detail: expect.stringMatching(/^must be Object, got /) },
  ]);
  expect(parse(Thing, null, "MESSAGE_INVALID")).toMatchObject({
    refusal: { detail: expect.stringMatching(/^the value must be Object, got null/) },
  });
});

test("unknown fields beside an inner object's unknown fields are each named where they are", () => {
  const Outer = exactObject({ inner: exactObject({ a: v.optional(v.number()) }) });
  expect(errorsOf(Outer, { inner: { b: 1, c: 1 } }).map(({ pointer }) => pointer)).toEqual([
    "/inner/b",
    "/inner/c",
  ]);
  expect(errorsOf(Outer, { inner: { b: 1 }, d: 1, e: 1 }).map(({ pointer }) => pointer)).toEqual([
    "/inner/b",
    "/d",
    "/e",
  ]);
});

test("a hundred bad fields are all named, and nothing is said of more", () => {
  const input = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`field-${i}`, i]));
  const refused = parse(exactObject({}), input, "MESSAGE_INVALID");
  expect(refused).toMatchObject({ refusal: { detail: expect.stringMatching(/not a known field$/) } });
});

test("more than a hundred bad items are named up to a hundred and counted", () => {
  const refused = parse(v.array(v.number()), Array(130).fill("x"), "MESSAGE_INVALID");
  expect(refused).toMatchObject({ refusal: { detail: expect.stringMatching(/; and 30 more$/) } });
  expect(errorsOf(v.array(v.number()), Array(130).fill("x"))).toHaveLength(100);
});

test.each([
  { schema: v.pipe(v.string(), v.minLength(3, "must be long")), input: "ab", detail: "must be long, got 2" },
  {
    schema: v.pipe(v.string(), v.regex(/^a/, "must start with a")),
    input: "b",
    detail: 'must start with a, got "b"',
  },
  { schema: v.custom(() => false, "must be ours"), input: 1, detail: "must be ours, got 1" },
  { schema: v.picklist(["a", "b"]), input: "c", detail: 'must be ("a" | "b"), got "c"' },
])("$input is told: $detail", ({ schema, input, detail }) => {
  expect(errorsOf(schema, input)).toEqual([{ pointer: "", detail }]);
});

test("a text of sixty characters is told whole, a longer one is cut", () => {
  const detailOf = (length: number) => errorsOf(v.number(), "x".repeat(length))[0]?.detail;
  expect(detailOf(58)).toBe(`must be number, got "${"x".repeat(58)}"`);
  expect(detailOf(59)).toBe(`must be number, got "${"x".repeat(59)}…`);
});
