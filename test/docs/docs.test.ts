import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { type JsonSchema, toJsonSchema } from "@valibot/to-json-schema";
import type * as v from "valibot";
import { describe, expect, test } from "vitest";
import { ERRORS } from "../../shared/protocol/errors.ts";
import {
  type ClientFrame,
  CLIENT_FRAMES as clientSchemas,
  type ServerFrame,
} from "../../shared/protocol/frame.ts";
import { SERVER_FRAMES as serverSchemas } from "../../shared/protocol/server-frame.ts";
import { FAULT_NAMES } from "../../simulation/world/faults.ts";
import { tagwire } from "../support/command.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

/** The pages that a reader gets, by their path from the root. */
const PAGES = [
  ...readdirSync(ROOT).filter((name) => name.endsWith(".md")),
  ...readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name)),
];

// tsc holds these to the types: a frame that is missing or unknown here does not compile.
const CLIENT_FRAMES = { subscribe: 1, unsubscribe: 1, history: 1, token: 1, ping: 1 } satisfies Record<
  ClientFrame["type"],
  1
>;
const SERVER_FRAMES = {
  message: 1,
  subscribed: 1,
  unsubscribed: 1,
  history: 1,
  token: 1,
  pong: 1,
  error: 1,
} satisfies Record<ServerFrame["type"], 1>;

/** The fields that a frame may have beside its type, in the order of the alphabet. */
function fieldsOf(frame: v.GenericSchema): string[] {
  const inside = ({ properties = {}, allOf = [], anyOf = [] }: JsonSchema): string[] => [
    ...Object.keys(properties),
    ...[...allOf, ...anyOf].flatMap((each) => (typeof each === "object" ? inside(each) : [])),
  ];
  const fields = new Set(inside(toJsonSchema(frame, { errorMode: "ignore" })));
  fields.delete("type");
  return [...fields].sort();
}

test("docs/errors.md lists exactly the codes there are, with status and meaning", () => {
  const rows = [...read("docs/errors.md").matchAll(/^\| `(\w+)` \| (\d+) \| (.+?) \| (.+?) \|$/gm)];
  const listed = rows.map(([, code = "", status, title]) => [code, { status: Number(status), title }]);
  expect(Object.fromEntries(listed)).toEqual(ERRORS);
  expect(rows).toHaveLength(Object.keys(ERRORS).length);
});

test("docs/guarantees.md names only tests and simulated faults that there are, and every fault", () => {
  const words = [...read("docs/guarantees.md").matchAll(/`([^`]+)`/g)].map(([, word = ""]) => word);
  expect(words.filter((word) => word.startsWith("test/") && !existsSync(join(ROOT, word)))).toEqual([]);
  const kinds = new Set(FAULT_NAMES.map((name) => name.split("-")[0]));
  const named = words.filter((word) => /^[a-z]+-[a-z]+$/.test(word) && kinds.has(word.split("-")[0] ?? ""));
  expect([...new Set(named)].sort()).toEqual([...FAULT_NAMES].sort());
});

test.each([
  { heading: "What a client sends", frames: CLIENT_FRAMES, schemas: clientSchemas },
  { heading: "What a client gets", frames: SERVER_FRAMES, schemas: serverSchemas },
])("docs/protocol.md names exactly the frames there are, and their fields: $heading", ({
  heading,
  frames,
  schemas,
}) => {
  const section = read("docs/protocol.md").split(`### ${heading}`)[1]?.split(/^##/m)[0] ?? "";
  for (const [, type = "", fields = ""] of section.matchAll(/^\| `(\w+)` \| (.+?) \|/gm)) {
    const named = [...fields.matchAll(/`(\w+)`/g)].map(([, field = ""]) => field);
    const schema = (schemas as Record<string, v.GenericSchema>)[type];
    expect([type, ...named.sort()]).toEqual([type, ...(schema ? fieldsOf(schema) : [])]);
  }
  const inTable = [...section.matchAll(/^\| `(\w+)` \|/gm)].map(([, type]) => type);
  const inExamples = [...section.matchAll(/"type": "(\w+)"/g)].map(([, type]) => type);
  expect(inTable.sort()).toEqual(Object.keys(frames).sort());
  expect([...new Set(inExamples)].sort()).toEqual(Object.keys(frames).sort());
});

describe.each(PAGES)("%s", (page) => {
  const text = read(page);

  test("names only scripts that exist", () => {
    const { scripts } = JSON.parse(read("package.json"));
    const named = [...text.matchAll(/npm (?:run (?:--silent )?([\w:-]+)|(start|test)\b)/g)];
    const missing = named.map(([, run, short]) => run ?? short ?? "").filter((name) => !(name in scripts));
    expect(missing).toEqual([]);
  });

  test("names only commands of tagwire that exist", async () => {
    const verbs = [...(await tagwire(["--help"])).out.matchAll(/^ {2}([a-z][\w-]*) .*/gm)].map(
      ([, verb]) => verb,
    );
    const named = [...text.matchAll(/(?:^|\| )(?:npm run --silent tagwire --|tagwire) ([a-z][\w-]*)/gm)];
    expect(named.map(([, verb]) => verb).filter((verb) => !verbs.includes(verb))).toEqual([]);
  });

  test("links only to pages and headings that exist", () => {
    const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link);
    const internal = links.filter((link) => !/^[a-z]+:/.test(link));
    expect(internal.filter((link) => !leads(page, link))).toEqual([]);
  });
});

test("a section of docs/cli.md names only options that its verbs have", async () => {
  const sections = read("docs/cli.md").split(/^## /m).slice(1);
  const unknown: string[] = [];
  for (const section of sections) {
    const [heading = ""] = section.split("\n");
    const verbs = heading === "dead-letters" ? ["list", "show", "redrive", "purge"] : heading.split(" and ");
    const words = (verb: string) => (heading === "dead-letters" ? [heading, verb] : [verb]);
    const helps = await Promise.all(verbs.map((verb) => tagwire([...words(verb), "--help"])));
    const known = new Set(helps.flatMap(({ out }) => out.match(/--[a-z][a-z-]+/g) ?? []));
    for (const [option] of section.matchAll(/(?<![\w-])--[a-z][a-z-]+/g))
      if (!known.has(option) && !OF_OTHERS.has(option)) unknown.push(`${heading}: ${option}`);
  }
  expect(unknown).toEqual([]);
});

/** Options of other commands that the page names. */
const OF_OTHERS = new Set(["--outputs-file"]);

test("the README gives the two commands in blocks of their own", () => {
  const blocks = [...read("README.md").matchAll(/```sh\n([\s\S]*?)```/g)].map(([, code]) => code?.trim());
  expect(blocks).toEqual(expect.arrayContaining(["npm ci && npm start", "npm ci && npm test"]));
});

function leads(page: string, link: string): boolean {
  const [path = "", anchor] = link.split("#");
  const target = path === "" ? page : relative(ROOT, join(ROOT, dirname(page), path));
  if (!existsSync(join(ROOT, target))) return false;
  return anchor === undefined || anchors(read(target)).includes(anchor);
}

/** The names that GitHub gives to headings. */
const anchors = (text: string) =>
  [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
