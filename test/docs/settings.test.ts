import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { RULES } from "../../shared/settings/rules.ts";
import { leaves } from "../settings/leaf.ts";

const page = readFileSync("docs/settings.md", "utf8");

/** The rows of the table under a heading, without its two lines of head. */
const rowsUnder = (heading: string): string[] =>
  (page.split(`## ${heading}\n`)[1]?.split(/^## /m)[0] ?? "")
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .slice(1);

/** A setting in a list is named as in `streams[].count`. */
const nameOf = (path: readonly string[]): string => path.join(".").replaceAll(".0", "[]");

const inWords = (value: unknown): string =>
  value === undefined ? "none" : typeof value === "number" ? value.toLocaleString("en-US") : String(value);

const rowOf = ({
  path,
  type,
  least,
  most,
  isRequired,
  fallback,
  unit,
  description,
}: (typeof leaves)[number]): string => {
  const ranges = {
    number: `${inWords(least)}-${inWords(most)} ${unit}`,
    boolean: "true or false",
    string: isRequired ? "a topic or a pattern" : "a name",
  };
  const range = ranges[type];
  return `| \`${nameOf(path)}\` | ${isRequired ? "–" : inWords(fallback)} | ${range} | ${description} |`;
};

test.each([
  { heading: "Settings", isAdvanced: false },
  { heading: "Advanced settings", isAdvanced: true },
])("docs/settings.md lists each setting with its default, range, unit and meaning: $heading", ({
  heading,
  isAdvanced,
}) => {
  const expected = leaves.filter(({ path }) => (path[0] === "advanced") === isAdvanced).map(rowOf);
  expect(expected.length).toBeGreaterThan(10);
  expect(rowsUnder(heading)).toEqual(expected);
});

test("docs/settings.md lists each rule between settings", () => {
  expect(rowsUnder("Rules between settings")).toEqual(
    RULES.map(({ left, relation, right, why }) => `| \`${left}\` | ${relation} | \`${right}\` | ${why} |`),
  );
});
