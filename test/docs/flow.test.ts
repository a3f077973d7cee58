import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const page = readFileSync(`${ROOT}docs/flow.md`, "utf8");
const section = page.split("## Function by function")[1]?.split(/^## /m)[0] ?? "";

const declares = (source: string, name: string): boolean =>
  new RegExp(`^\\s*(export )?(async )?(function\\*?|const) ${name}\\b`, "m").test(source);

describe.each([
  "a message",
  "a subscribe",
  "a refresh",
  "a disconnect",
  "a retry",
  "a split",
  "a redrive",
])("docs/flow.md, the way of %s", (what) => {
  const way = section.split(`### The way of ${what}\n`)[1]?.split(/^###/m)[0] ?? "";
  const named = [...way.matchAll(/`(\w+)` in `([\w/.-]+)`/g)].map(([, name = "", file = ""]) => ({
    name,
    file,
  }));

  test("names a function and its file in each line of its list", () => {
    const lines = way.split("\n").filter((line) => line.trimStart().startsWith("- "));
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.filter((line) => !/^\s*- `\w+` in `[\w/.-]+\.ts` /.test(line))).toEqual([]);
  });

  test("names only functions that their files declare", () => {
    const missing = named.filter(
      ({ name, file }) =>
        !existsSync(`${ROOT}${file}`) || !declares(readFileSync(`${ROOT}${file}`, "utf8"), name),
    );
    expect(missing).toEqual([]);
  });
});
