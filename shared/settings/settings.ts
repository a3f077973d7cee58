import * as v from "valibot";
import { TagwireError } from "../protocol/errors.ts";
import { brokenRules } from "./rules.ts";
import { Settings, type SettingsOverrides } from "./schema.ts";

/**
 * Returns the defaults with the caller's changes. Throws SETTINGS_INVALID, which names everything that is wrong: each
 * unknown name and each value of a wrong type or out of range or, if there is none, each broken rule between settings.
 */
export function settings(overrides: SettingsOverrides = {}): Settings {
  const parsed = v.safeParse(Settings, overrides);
  if (!parsed.success) throw new TagwireError("SETTINGS_INVALID", faultsIn(parsed.issues).join("; "));
  const broken = brokenRules(parsed.output);
  if (broken.length > 0) throw new TagwireError("SETTINGS_INVALID", broken.join("; "));
  return parsed.output;
}

/** The settings of a router that changes none. */
export const DEFAULTS: Settings = settings();

/** One sentence for each path: a number may be both fractional and out of range. */
function faultsIn(issues: readonly v.BaseIssue<unknown>[]): readonly string[] {
  const faults = new Map<string, string>();
  for (const issue of issues) {
    const keys = (issue.path ?? []).map(({ key }) => String(key));
    const path = nameOf(keys);
    if (!faults.has(path)) faults.set(path, `${path} ${faultOf(issue, keys)}`);
  }
  return [...faults.values()];
}

function faultOf(issue: v.BaseIssue<unknown>, path: readonly string[]): string {
  if (issue.expected === "never") return unknownIn(path.slice(0, -1));
  if (issue.type === "strict_object" && issue.received === "undefined") return "is missing";
  return `${issue.message}, got ${shown(issue.input)}`;
}

const nameOf = (path: readonly string[]): string => ["settings", ...path].join(".");

/** Says of a name that the group at this path does not have which names it has. */
function unknownIn(path: readonly string[]): string {
  const group = path.reduce<object | undefined>(
    (at, name) => (at !== undefined && isList(at) ? at.item : entriesOf(at)[name]),
    Settings,
  );
  return `is not a setting: ${nameOf(path)} has ${Object.keys(entriesOf(group)).join(", ")}`;
}

const entriesOf = (group: object | undefined): Readonly<Record<string, object>> =>
  group !== undefined && isGroup(group) ? group.entries : {};

const isGroup = (schema: object): schema is { readonly entries: Readonly<Record<string, object>> } =>
  "entries" in schema;

const isList = (schema: object): schema is { readonly item: object } => "item" in schema;

/** A value in words of a bounded length: objects may be cyclic, and JSON knows no BigInt. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return "an array";
  if (typeof value === "function") return "a function";
  if (typeof value === "object" && value !== null) return "an object";
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return text.length > MOST ? `${text.slice(0, MOST)}…` : text;
}

/** Characters of a value that a message quotes. */
const MOST = 60;
