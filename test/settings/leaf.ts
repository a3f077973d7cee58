import type * as v from "valibot";
import { Settings } from "../../shared/settings/schema.ts";

/** A setting as the schema has it, and a group of settings. Both are read from valibot's own objects. */
export interface Leaf {
  readonly path: readonly string[];
  readonly type: "number" | "boolean";
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
  readonly description?: string;
  readonly metadata?: { readonly unit?: string };
}

/** Every setting, in the order of the schema. */
export const leaves: readonly Leaf[] = leavesOf(Settings as unknown as Node, []);

/** Every group of settings, the whole among them, with the names in it. */
export const groups: readonly { readonly path: readonly string[]; readonly names: readonly string[] }[] =
  groupsOf(Settings as unknown as Node, []);

function leavesOf(node: Node, path: readonly string[]): readonly Leaf[] {
  const entries = entriesOf(node);
  if (entries) return Object.entries(entries).flatMap(([name, child]) => leavesOf(child, [...path, name]));
  const [schema, ...actions] = node.wrapped?.pipe ?? [];
  const find = (type: string) => actions.find((action) => action.type === type);
  if (schema?.type !== "number" && schema?.type !== "boolean")
    throw new Error(`${path.join(".")} is ${schema?.type}: teach this walk about it`);
  return [
    {
      path,
      type: schema.type,
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

/** Settings in which only this path is set. */
export const only = (path: readonly string[], value: unknown): Record<string, unknown> =>
  path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value) as Record<string, unknown>;

/** The value at a path. */
export const at = (value: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((inner, name) => (inner as Record<string, unknown>)[name], value);
