import fc from "fast-check";
import * as v from "valibot";
import { expect, test } from "vitest";
import { Data } from "../../shared/protocol/data.ts";
import { json } from "../support/arbitrary.ts";

const nested = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`;

test("any JSON is data, and stays what it is", () => {
  fc.assert(
    fc.property(json, (value) => {
      expect(JSON.stringify(v.parse(Data, value))).toBe(JSON.stringify(value));
    }),
  );
});

test.each([
  { text: "1e999", flaw: "must hold only numbers that fit a double" },
  { text: '{"a":[1,-1e999]}', flaw: "must hold only numbers that fit a double" },
  { text: nested(101), flaw: "must nest at most 100 levels deep" },
  { text: `{"a":${nested(100)}}`, flaw: "must nest at most 100 levels deep" },
  { text: nested(500_000), flaw: "must nest at most 100 levels deep" },
])("data that would not come out as it went in is refused: $flaw", ({ text, flaw }) => {
  expect(v.safeParse(Data, JSON.parse(text)).issues?.[0].message).toBe(flaw);
});

test("data may nest 100 levels", () => {
  expect(v.is(Data, JSON.parse(nested(100)))).toBe(true);
});
