import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { openApi } from "../../shared/api/openapi.ts";
import { component, faults, frame, type Place, sentFrame } from "./documents.ts";

const TEXT = readFileSync(new URL("../../docs/protocol.md", import.meta.url), "utf8");

type Fields = Readonly<Record<string, unknown>>;
const CONTENT = ["content", "application/json", "schema"] as const;
const RESPONSE: Place = ["openapi", "paths", "/v1/messages", "post", "responses", "202", ...CONTENT];

/** Which schema an example is of, by its fields. */
const PLACES: readonly { is: (it: Fields) => boolean; place: (it: Fields) => Place }[] = [
  { is: Array.isArray, place: () => RESPONSE },
  { is: (it) => "sub" in it, place: () => component("openapi", "Claims") },
  { is: (it) => "counts" in it, place: () => component("openapi", "Receipt") },
  { is: (it) => "state" in it, place: () => RESPONSE },
  { is: (it) => "status" in it, place: () => component("openapi", "Problem") },
  { is: (it) => "target" in it, place: () => component("openapi", "PublishRequest") },
  { is: (it) => "gap" in it && !("type" in it), place: () => component("openapi", "History") },
  { is: (it) => "gap" in it, place: (it) => sentFrame(String(it.type)) },
  { is: (it) => it.type === "token" && "expiresAt" in it, place: () => sentFrame("token") },
  { is: (it) => "closed" in it, place: () => component("openapi", "Disconnected") },
  { is: (it) => "type" in it, place: (it) => frame(String(it.type)) },
];

const placeOf = (example: Fields): Place =>
  PLACES.find(({ is }) => is(example))?.place(example) ?? ["openapi"];

describe("of the examples in docs/protocol.md", () => {
  const examples = [...TEXT.matchAll(/```json\n([\s\S]*?)```/g)].map(([, json = ""]) => JSON.parse(json));
  const targets = [...TEXT.matchAll(/^\| `(\{.+?\})` \| /gm)].map(([, json = ""]) => JSON.parse(json));

  test.each(examples)("this one is valid by the served documents: %j", (example) => {
    expect(faults(placeOf(example), example)).toEqual([]);
  });

  test.each(targets)("this one is valid by the served documents: %j", (target) => {
    expect(faults(component("openapi", "Target"), target)).toEqual([]);
  });

  test.each(
    examples.filter((it) => !Array.isArray(it)),
  )("none of the kind %j is valid with a wrong field", (it) => {
    const name = Object.keys(it).find((key) => !["data", "retryAfter"].includes(key)) ?? "";
    expect(faults(placeOf(it), { ...it, [name]: { wrong: true } })).not.toEqual([]);
  });
});

/** Each media type of a document that has examples, and where it stands. */
function media(
  value: unknown,
  steps: readonly string[] = [],
): { steps: readonly string[]; examples: object }[] {
  if (typeof value !== "object" || value === null) return [];
  const own =
    "schema" in value && "examples" in value
      ? [{ steps: [...steps, "schema"], examples: value.examples as object }]
      : [];
  return [...own, ...Object.entries(value).flatMap(([name, inner]) => media(inner, [...steps, name]))];
}

test.each(media(openApi()))("the examples of the OpenAPI document are valid at $steps", ({
  steps,
  examples,
}) => {
  for (const { value } of Object.values(examples)) expect(faults(["openapi", ...steps], value)).toEqual([]);
});
