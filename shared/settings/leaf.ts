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

/** valibot takes arrays, maps and dates for objects, with nothing in them. */
const isPlainObject = (input: unknown): boolean => {
  if (typeof input !== "object" || input === null) return false;
  const prototype: unknown = Object.getPrototypeOf(input);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
};
