import * as v from "valibot";
import { exactObject } from "../protocol/parse.ts";

/* The kinds of which the settings are made. Each keeps its description and its unit as valibot metadata. */

export interface WholeOptions {
  /** The least and the most value. */
  readonly range: readonly [number, number];
  readonly unit: string;
}

const bounded = (about: string, { range: [least, most], unit }: WholeOptions) => {
  const text = `must be a whole number of ${least}-${most}`;
  return v.pipe(
    v.number(text),
    v.integer(text),
    v.minValue(least, text),
    v.maxValue(most, text),
    v.description(about),
    v.metadata({ unit }),
  );
};

/** A setting with a default. valibot's own type of it is a hundred times as long, and would be in the package. */
export type Leaf<T> = v.GenericSchema<T | undefined, T>;

/** Settings that belong together, by name. */
export interface Group<E extends v.ObjectEntries> extends v.GenericSchema<Input<E> | undefined, Output<E>> {
  readonly entries: E;
}

type Input<E extends v.ObjectEntries> = { readonly [K in keyof E]?: v.InferInput<E[K]> };
type Output<E extends v.ObjectEntries> = { readonly [K in keyof E]: v.InferOutput<E[K]> };

/** A whole number with a default. */
export const whole = (about: string, options: WholeOptions & { readonly fallback: number }): Leaf<number> =>
  v.optional(bounded(about, options), options.fallback);

/** A whole number without a default: if it is absent, there is no limit. */
export const unlimited = (about: string, options: WholeOptions): Leaf<number | undefined> =>
  v.optional(bounded(about, options));

/** A whole number without a default, in a group that is off unless it is given. */
export const required = (about: string, options: WholeOptions): v.GenericSchema<number> =>
  bounded(about, options);

export interface TextOptions {
  readonly form: RegExp;
  readonly must: string;
  /** What it is, in the documentation. */
  readonly kind: string;
}

/** A text without a default. */
export const text = (about: string, { form, must, kind }: TextOptions) =>
  v.pipe(
    v.string(must),
    v.regex(form, must),
    v.description(about),
    v.metadata({ unit: kind }),
  ) as v.GenericSchema<string>;

/** A text with a default. */
export const named = (
  about: string,
  { fallback, ...options }: Parameters<typeof text>[1] & { readonly fallback: string },
): Leaf<string> => v.optional(text(about, options), fallback);

/** A part of the quota, of 0.01 to 1. */
export const fraction = (about: string, fallback: number): Leaf<number> => {
  const text = "must be a number of 0.01-1";
  return v.optional(
    v.pipe(
      v.number(text),
      v.minValue(0.01, text),
      v.maxValue(1, text),
      v.description(about),
      v.metadata({ unit: "of the quota" }),
    ),
    fallback,
  );
};

export const flag = (about: string, fallback: boolean): Leaf<boolean> =>
  v.optional(v.pipe(v.boolean("must be true or false"), v.description(about)), fallback);

/** Settings that belong together. All have defaults, so all of it can be left out; an unknown name is refused. */
export const group = <const E extends v.ObjectEntries>(entries: E): Group<E> => {
  const schema = v.pipe(v.custom<Input<E>>(isPlainObject, "must be an object"), exactObject(entries));
  return Object.assign(v.optional(schema, {}), { entries });
};

/** Settings that are given in full or not at all. */
export interface Whole<E extends v.ObjectEntries> extends v.GenericSchema<Given<E>, Output<E>> {
  readonly entries: E;
}

type Given<E extends v.ObjectEntries> = { readonly [K in keyof E]: v.InferInput<E[K]> };

/** What is off unless it is given, and then has all of its settings. */
export const inFull = <const E extends v.ObjectEntries>(entries: E): Whole<E> => {
  const schema = v.pipe(v.custom<Given<E>>(isPlainObject, "must be an object"), exactObject(entries));
  return Object.assign(schema, { entries });
};

/** A group that is off by default. */
export const off = <const E extends v.ObjectEntries>(
  whole: Whole<E>,
): v.GenericSchema<Given<E> | undefined, Output<E> | undefined> & { readonly entries: E } =>
  Object.assign(v.optional(whole), { entries: whole.entries });

/** Groups of the same kind; none by default. */
export interface List<E extends v.ObjectEntries>
  extends v.GenericSchema<readonly Given<E>[] | undefined, readonly Output<E>[]> {
  readonly item: Whole<E>;
}

export interface ListOptions<E extends v.ObjectEntries> {
  readonly most: number;
  /** The name by which each group is told from the others: two of the same are refused. */
  readonly key: keyof E & string;
  /** Characters of all groups as JSON. */
  readonly characters: number;
}

export const list = <const E extends v.ObjectEntries>(
  about: string,
  item: Whole<E>,
  { most, key, characters }: ListOptions<E>,
): List<E> => {
  const must = `must be a list of at most ${most}`;
  const schema = v.pipe(
    v.array(item, must),
    v.maxLength(most, must),
    v.check(
      (groups) => JSON.stringify(groups).length <= characters,
      `must have at most ${characters} characters as JSON: Lambda takes 4 KB of variables`,
    ),
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed) return;
      const groups: readonly Readonly<Record<string, unknown>>[] = dataset.value;
      for (const [index, group] of groups.entries()) {
        if (groups.findIndex((other) => other[key] === group[key]) === index) continue;
        const path = {
          type: "array",
          origin: "value",
          input: dataset.value,
          key: index,
          value: group,
        } as const;
        const name = { type: "object", origin: "value", input: group, key, value: group[key] } as const;
        addIssue({ message: "must differ from those before it", input: group[key], path: [path, name] });
      }
    }),
    v.description(about),
  );
  return Object.assign(v.optional(schema, []), { item }) as unknown as List<E>;
};

/** valibot takes arrays, maps and dates for objects, with nothing in them. */
const isPlainObject = (input: unknown): boolean => {
  if (typeof input !== "object" || input === null) return false;
  const prototype: unknown = Object.getPrototypeOf(input);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
};
