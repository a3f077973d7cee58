import { InvalidArgumentError } from "commander";

/** Gathers an option that may be given many times. */
export const collect = (value: string, former: readonly string[] = []): string[] => [...former, value];

export function wholeNumber(value: string): number {
  if (!/^\d{1,9}$/.test(value)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(value);
}
