import * as v from "valibot";
import { accept, type ErrorCode, type FieldError, type Result, refuse } from "./errors.ts";

/** Checks a value against a schema; a refusal names every bad field at once. */
export function parse<const S extends v.GenericSchema>(
  schema: S,
  input: unknown,
  code: ErrorCode,
  root = "",
): Result<v.InferOutput<S>> {
  const parsed = v.safeParse(schema, input);
  if (parsed.success) return accept(parsed.output);
  const errors = parsed.issues.map((issue) => fieldError(issue, root));
  return refuse(code, summary(errors), { errors });
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
  errors.map(({ pointer, detail }) => `${pointer === "" ? "the value" : pointer} ${detail}`).join("; ");

function fieldError(issue: v.BaseIssue<unknown>, root: string): FieldError {
  const path = (issue.path ?? []).map(({ key }) => escapePointer(String(key)));
  return { pointer: [root, ...path].join("/"), detail: reword(issue) };
}

const escapePointer = (key: string) => key.replaceAll("~", "~0").replaceAll("/", "~1");

/** valibot says `Expected "id" but received undefined` of a missing key, which helps nobody. */
function reword(issue: v.BaseIssue<unknown>): string {
  if (issue.expected === "never") return "is not a known field";
  if (issue.type === "strict_object" && issue.received === "undefined") return "is missing";
  if (issue.kind === "schema" && issue.expected !== null && issue.type !== "custom") {
    return `must be ${issue.expected}, got ${clip(issue.received)}`;
  }
  return `${issue.message}, got ${clip(issue.received)}`;
}

const clip = (text: string) => (text.length > 60 ? `${text.slice(0, 60)}…` : text);
