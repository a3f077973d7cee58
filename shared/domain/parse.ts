import * as v from "valibot";
import { accept, type ErrorCode, type FieldError, type Result, refuse } from "./errors.ts";

/** Bad fields that a refusal names; the rest are counted, so that an answer has a bound. */
const NAMED = 100;

/** Checks a value against a schema; a refusal names every bad field at once, up to a hundred. */
export function parse<const S extends v.GenericSchema>(
  schema: S,
  input: unknown,
  code: ErrorCode,
  root = "",
): Result<v.InferOutput<S>> {
  const parsed = v.safeParse(schema, input);
  if (parsed.success) return accept(parsed.output);
  const errors = parsed.issues.slice(0, NAMED).map((issue) => fieldError(issue, root));
  const more = parsed.issues.length - errors.length;
  return refuse(code, `${summary(errors)}${more > 0 ? `; and ${more} more` : ""}`, { errors });
}

/** An object of these fields and no others. Reports every unknown one, of which valibot's strictObject names the first. */
export function exactObject<const E extends v.ObjectEntries>(entries: E): v.StrictObjectSchema<E, undefined> {
  const strict = v.strictObject(entries);
  return {
    ...strict,
    "~run"(dataset, config) {
      const input = dataset.value;
      const checked = strict["~run"](dataset, config);
      if (typeof input !== "object" || input === null) return checked;
      const [, ...unnamed] = Object.entries(input).filter(([key]) => !Object.hasOwn(entries, key));
      for (const [key, value] of unnamed) {
        const at = {
          type: "object",
          origin: "key",
          input: input as Record<string, unknown>,
          key,
          value,
        } as const;
        v._addIssue(strict, "key", checked, config, { input: key, expected: "never", path: [at] });
      }
      return checked;
    },
  };
}

/** Reads JSON, or says that it is none. */
export function parseJson(text: string, code: ErrorCode = "BODY_NOT_JSON"): Result<unknown> {
  try {
    return accept(JSON.parse(text));
  } catch {
    return refuse(code, text.trim() === "" ? "the body is empty, send JSON" : "the text is not JSON");
  }
}

const summary = (errors: readonly FieldError[]) =>
  errors
    .map(({ pointer, detail }) => `${pointer === "" ? "the value" : clip(pointer, WORD)} ${detail}`)
    .join("; ");

function fieldError(issue: v.BaseIssue<unknown>, root: string): FieldError {
  const path = (issue.path ?? []).map(({ key }) => escapePointer(clip(String(key), NAME)));
  return { pointer: [root, ...path].join("/"), detail: reword(issue) };
}

const escapePointer = (key: string) => key.replaceAll("~", "~0").replaceAll("/", "~1");

/** valibot says `Expected "id" but received undefined` of a missing key, which helps nobody. */
function reword(issue: v.BaseIssue<unknown>): string {
  if (issue.expected === "never") return "is not a known field";
  if (/object$/.test(issue.type) && issue.received === "undefined") return "is missing";
  if (issue.kind === "schema" && issue.expected !== null && issue.type !== "custom") {
    return `must be ${issue.expected}, got ${clip(issue.received)}`;
  }
  return `${issue.message}, got ${clip(issue.received)}`;
}

/** Characters that are told of a value, and of the name of a field. */
const WORD = 60;
const NAME = 128;

/** Cuts no surrogate pair in two: not all that read JSON take a half. */
const clip = (text: string, most = WORD) =>
  text.length > most ? `${text.slice(0, most).replace(/[\ud800-\udbff]$/, "")}…` : text;
