import type * as v from "valibot";
import { Settings } from "../../shared/settings/schema.ts";

/** A setting as the schema has it, and a group of settings. Both are read from valibot's own objects. */
export interface Leaf {
  readonly path: readonly string[];
  readonly type: "number" | "boolean" | "string";
  /** Whether it has to be given, in a group that is off by default. */
  readonly isRequired: boolean;
  readonly whole: boolean;
  readonly least: number;
  readonly most: number;
  readonly fallback: unknown;
  readonly description: string;
  readonly unit: string | undefined;
}

interface Node extends v.GenericSchema {
  readonly wrapped?: Node;
  readonly default?: unknown;
  readonly entries?: Readonly<Record<string, Node>>;
  readonly pipe?: readonly Node[];
  readonly requirement?: unknown;
  /** The kind of the groups in a list. */
  readonly item?: Node;
  readonly description?: string;
  readonly metadata?: { readonly unit?: string };
}

/** The place of a group in a list that has one. */
const FIRST = "0";

/** Every setting, in the order of the schema. */
export const leaves: readonly Leaf[] = leavesOf(Settings as unknown as Node, []);

/** Every group of settings, the whole among them, with the names in it. */
export const groups: readonly { readonly path: readonly string[]; readonly names: readonly string[] }[] =
  groupsOf(Settings as unknown as Node, []);

function leavesOf(node: Node, path: readonly string[]): readonly Leaf[] {
  const entries = entriesOf(node);
  if (entries) return Object.entries(entries).flatMap(([name, child]) => leavesOf(child, [...path, name]));
  if (node.item) return leavesOf(node.item, [...path, FIRST]);
  const [schema, ...actions] = (node.wrapped ?? node).pipe ?? [];
  const find = (type: string) => actions.find((action) => action.type === type);
  if (schema?.type !== "number" && schema?.type !== "boolean" && schema?.type !== "string")
    throw new Error(`${path.join(".")} is ${schema?.type}: teach this walk about it`);
  return [
    {
      path,
      type: schema.type,
      isRequired: node.wrapped === undefined,
      whole: find("integer") !== undefined,
      least: Number(find("min_value")?.requirement),
      most: Number(find("max_value")?.requirement),
      fallback: node.default,
      description: find("description")?.description ?? "",
      unit: find("metadata")?.metadata?.unit,
    },
  ];
}

function groupsOf(node: Node, path: readonly string[]): { path: readonly string[]; names: string[] }[] {
  if (node.item) return groupsOf(node.item, [...path, FIRST]);
  const entries = entriesOf(node);
  if (!entries) return [];
  const inner = Object.entries(entries).flatMap(([name, child]) => groupsOf(child, [...path, name]));
  return [{ path, names: Object.keys(entries) }, ...inner];
}

/** The fields of a group, however its object is wrapped. */
function entriesOf(node: Node): Node["entries"] {
  if (node.entries) return node.entries;
  const inside = [...(node.wrapped ? [node.wrapped] : []), ...(node.pipe ?? [])].filter(
    (one) => one !== node,
  );
  return inside.map(entriesOf).find((entries) => entries !== undefined);
}

/** What has to be given beside a setting of a group that is off by default. */
export const beside = (path: readonly string[]): object =>
  ({
    "streams.0": { topics: "orders/*", seconds: 60, count: 100 },
    userStreams: { seconds: 60, count: 100 },
    "spreadTags.0": {
      tag: "everyone",
      hashBits: 3,
      hashBitsBefore: 0,
      since: "2026-01-01T12:00:00Z",
    },
  })[path.join(".")] ?? {};

/** Settings in which only this path is set, and what has to be given with it. */
export const only = (path: readonly string[], value: unknown): Record<string, unknown> =>
  path.reduceRight<unknown>((inner, name, depth) => {
    if (name === FIRST) return [inner];
    return { ...beside(path.slice(0, depth)), [name]: inner };
  }, value) as Record<string, unknown>;

/** The value at a path. */
export const at = (value: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((inner, name) => (inner as Record<string, unknown>)[name], value);
