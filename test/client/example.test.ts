import { readFileSync } from "node:fs";
import { buildSync, transformSync } from "esbuild";
import { expect, test } from "vitest";

const page = readFileSync("docs/client.md", "utf8");
const blocks = [...page.matchAll(/```(jsx?|ts)\n([\s\S]*?)```/g)].map(([, language = "", code = ""]) => ({
  language: language as "js" | "jsx" | "ts",
  code,
}));

const build = (entry: string) =>
  buildSync({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: "esm",
    jsx: "automatic",
    metafile: true,
    alias: { "tagwire/client": "./client/index.ts", "tagwire/react": "./client/react/index.ts" },
  });

test.each(["examples/browser/app.js", "examples/react/app.jsx"])("%s builds for a browser", (entry) => {
  expect(build(entry).outputFiles[0]?.text).toContain("tagwire.v1");
});

test.each([
  "examples/browser/app.js",
  "examples/react/app.jsx",
])("the token of serve.js grants the topics of %s", (entry) => {
  const topics = [
    ...readFileSync(entry, "utf8").matchAll(/(?:subscribe|useSubscription|useLatest)\("([^"]+)"/g),
  ];
  const [, granted = ""] =
    /subscribe: (\[.*?\])/.exec(readFileSync("examples/browser/serve.js", "utf8")) ?? [];
  expect(topics.length).toBeGreaterThan(0);
  expect(JSON.parse(granted)).toEqual(expect.arrayContaining(topics.map(([, topic]) => topic)));
});

test("a page loads nothing but the client's own files", () => {
  const { inputs } = build("examples/browser/app.js").metafile;
  expect(Object.keys(inputs).filter((file) => !/^(client|examples\/browser)\//.test(file))).toEqual([]);
});

test("the first example of docs/client.md is the page of examples/browser, in ten lines and an import", () => {
  const [first] = blocks;
  const app = readFileSync("examples/browser/app.js", "utf8");
  expect(app.startsWith(first?.code ?? "-")).toBe(true);
  const [, ...lines] = (first?.code ?? "").split("\n").filter((line) => line !== "");
  expect(lines.length).toBeLessThanOrEqual(10);
});

test.each(blocks)("the code of docs/client.md is $language: $code", ({ language, code }) => {
  expect(transformSync(code, { loader: language, format: "esm" }).warnings).toEqual([]);
});

test("docs/client.md names every event, and every code for good", () => {
  const rows = [...page.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
  for (const name of ["state", "recovered", "gap", "error", "CLOSED", "SIGNED_OUT", "REFUSED"])
    expect(rows).toContain(name);
});
