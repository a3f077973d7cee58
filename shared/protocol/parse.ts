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
  const parsed = v.safeParse(schema.type === "strict_object" ? noArray(schema) : schema, input);
  if (parsed.success) return accept(parsed.output);
  const issues = parsed.issues.filter((issue) => issue.expected !== UNNAMED);
  const errors = issues.slice(0, NAMED).map((issue) => fieldError(issue, root));
  const unnamed = parsed.issues.reduce((sum, issue) => sum + unnamedIn(issue), issues.length - errors.length);
  return refuse(code, `${summary(errors)}${unnamed > 0 ? `; and ${unnamed} more` : ""}`, { errors });
}

/**
 * An object of these fields and no others. Reports every unknown field, of which valibot's strictObject names the
 * first: up to a hundred by name, the rest by their number, so that a hostile body costs little more than JSON.parse.
 */
export const exactObject = <const E extends v.ObjectEntries>(entries: E) =>
  v.pipe(
    v.strictObject(entries),
    v.rawCheck(({ dataset, addIssue }) => {
      const input = withUnknownFields(dataset.issues);
      if (!input) return;
      const keys = Object.keys(input);
      const known = Object.keys(entries).filter((key) => Object.hasOwn(input, key)).length;
      const named = firstOf(keys, (key) => !Object.hasOwn(entries, key));
      for (const key of named.slice(1)) {
        const at = { type: "object", origin: "key", input, key, value: input[key] } as const;
        addIssue({ input: key, expected: NEVER, path: [at] });
      }
      const rest = keys.length - known - named.length;
      if (rest > 0) addIssue({ input: rest, expected: UNNAMED });
    }),
  );

/** Refuses an array, which valibot takes for an object, with all its items for unknown fields. */
export const noArray = <const S extends v.GenericSchema>(schema: S) =>
  v.lazy((input) => (Array.isArray(input) ? (NO_OBJECT as unknown as S) : schema));

const NO_OBJECT = v.custom<never>(() => false, "must be Object");

/** What valibot expects where it finds a field that is not known. */
const NEVER = "never";

/** An issue that stands for as many bad fields as its input says. */
const UNNAMED = "fields without a name here";

const unnamedIn = ({ expected, input }: v.BaseIssue<unknown>): number =>
  expected === UNNAMED && typeof input === "number" ? input : 0;

/** The object that strictObject has just found an unknown field in, itself and not one inside it. */
function withUnknownFields(
  issues: readonly v.BaseIssue<unknown>[] | undefined,
): Readonly<Record<string, unknown>> | undefined {
  const found = issues?.findLast(
    ({ expected, path }) => expected === NEVER && path?.length === 1 && path[0].origin === "key",
  );
  const at = found?.path?.[0];
  return at?.type === "object" ? (at.input as Record<string, unknown>) : undefined;
}

/** The first hundred that pass. */
function firstOf(keys: readonly string[], passes: (key: string) => boolean): readonly string[] {
  const found: string[] = [];
  for (const key of keys) {
    if (found.length === NAMED) break;
    if (passes(key)) found.push(key);
  }
  return found;
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

/** valibot says `Expected "id" but received undefined` of a missing key, which does not say what to do. */
function reword(issue: v.BaseIssue<unknown>): string {
  if (issue.expected === NEVER) return "is not a known field";
  if (/object$/.test(issue.type) && issue.received === "undefined") return "is missing";
  if (issue.kind === "schema" && issue.expected !== null && issue.type !== "custom") {
    return `must be ${issue.expected}, got ${clip(issue.received)}`;
  }
  // What was received says something of a value, and nothing of an object whose fields do not go together.
  return issue.received === "Object" ? issue.message : `${issue.message}, got ${clip(issue.received)}`;
}

/** The maximum number of characters that a report quotes of a value, and of the name of a field. */
const WORD = 60;
const NAME = 128;

/** Cuts no surrogate pair in two: not all that read JSON take a half. */
const clip = (text: string, most = WORD) =>
  text.length > most ? `${text.slice(0, most).replace(/[\ud800-\udbff]$/, "")}…` : text;
