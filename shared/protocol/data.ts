import * as v from "valibot";
import { DATA_LEVELS } from "./limits.ts";

/** What a message carries: any JSON that every stage can read and write again without changing it. */
export const Data = v.pipe(
  v.unknown(),
  v.rawCheck(({ dataset, addIssue }) => {
    const message = dataset.typed ? flawOf(dataset.value, DATA_LEVELS) : undefined;
    if (message) addIssue({ message });
  }),
);

function flawOf(value: unknown, levels: number): string | undefined {
  // JSON.parse makes Infinity of 1e999, and JSON.stringify null of Infinity.
  if (typeof value === "number" && !Number.isFinite(value)) return "must hold only numbers that fit a double";
  if (typeof value !== "object" || value === null) return undefined;
  if (levels === 0) return `must nest at most ${DATA_LEVELS} levels deep`;
  for (const inner of Object.values(value)) {
    const flaw = flawOf(inner, levels - 1);
    if (flaw) return flaw;
  }
  return undefined;
}
