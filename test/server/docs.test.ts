import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { CODES } from "../../server/errors.ts";
import { publisher } from "../../server/index.ts";
import { callSettings } from "../../server/options.ts";

const TEXT = readFileSync(new URL("../../docs/server.md", import.meta.url), "utf8");
const GIVEN = { url: "http://127.0.0.1:3000", token: "t" };
const section = (heading: string) => TEXT.split(`${heading}\n`)[1]?.split(/^##/m)[0] ?? "";

test("docs/server.md lists exactly the codes there are, and what happened", () => {
  const rows = [...section("## Errors").matchAll(/^\| `(\w+)` \| (.+) \|$/gm)];
  expect(Object.fromEntries(rows.map(([, code, meaning]) => [code, meaning]))).toEqual(CODES);
});

test("docs/server.md tells the defaults that hold, and names every method", () => {
  const { url: _, ...defaults } = callSettings(GIVEN);
  const rows = [...TEXT.matchAll(/^\| `(\w+)` \| (\d+) \| /gm)].map(([, name, value]) => [
    name,
    Number(value),
  ]);
  expect(Object.fromEntries(rows)).toEqual(defaults);
  const methods = [...TEXT.matchAll(/^\| `(\w+)\(/gm)].map(([, name]) => name);
  expect(methods.sort()).toEqual(Object.keys(publisher(GIVEN)).sort());
});
