import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

/*
 * The types of `tagwire/infra` as text: what a prop or a parameter of a public method is made of must be exported too, or
 * nobody can name it.
 */
const folders = ["infra", "shared/protocol", "shared/settings"];
const texts = [
  ...folders.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name))),
  "shared/metric.ts",
].map((file) => readFileSync(file, "utf8"));

/** What each of our interfaces and types says, by its name, without comments. */
const declared = new Map(
  texts
    .map((text) => text.replaceAll(/\/\*[\s\S]*?\*\//g, ""))
    .flatMap((text) => [
      ...text.matchAll(/^export (?:interface|type) (\w+)[^\n]*?(?:\{\n[\s\S]*?\n\}|=[\s\S]*?;\n)/gm),
    ])
    .map(([text, name = ""]) => [name, text.slice(text.indexOf(name) + name.length)] as const),
);

/** What the methods of the construct take, by the signatures of the classes. */
const signatures = ["infra/metrics.ts", "infra/tagwire.ts"]
  .map((file) => readFileSync(file, "utf8"))
  .flatMap((text) => [...text.matchAll(/^ {2}(?!private|super)\w+\(([^)]*)\)?/gm)].map(([, taken]) => taken))
  .join("\n");

const exported = new Set(
  [...readFileSync("infra/index.ts", "utf8").matchAll(/\{([^}]+)\}/g)]
    .flatMap(([, names = ""]) => names.split(","))
    .map(
      (name) =>
        name
          .trim()
          .split(/ as /)
          .at(-1)
          ?.replace(/^type /, "") ?? "",
    ),
);

const namesIn = (text: string): string[] => [...text.matchAll(/\b[A-Z]\w+\b/g)].map(([name]) => name);

test("tagwire/infra exports every type of ours that its props and methods take, and all that those are made of", () => {
  const taken = new Set<string>();
  const take = (name: string): void => {
    if (taken.has(name) || !declared.has(name)) return;
    taken.add(name);
    // The settings are what their schema says, and their parts have no names.
    if (name !== "SettingsOverrides") for (const next of namesIn(declared.get(name) ?? "")) take(next);
  };
  for (const name of ["TagwireProps", ...namesIn(signatures)]) take(name);
  expect([...taken]).toEqual(
    expect.arrayContaining([
      "AlarmOptions",
      "DomainOptions",
      "HttpOptions",
      "Issuer",
      "Lane",
      "RouterMetricOptions",
    ]),
  );
  expect([...taken].filter((name) => !exported.has(name))).toEqual([]);
});
