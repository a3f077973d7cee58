import { InvalidArgumentError } from "commander";
import { isObject } from "../server/request.ts";
import { parseJson } from "../shared/protocol/parse.ts";
import type { Settings, SettingsOverrides } from "../shared/settings/schema.ts";
import { settings } from "../shared/settings/settings.ts";

/** Gathers an option that may be given many times. */
export const collect = (value: string, former: readonly string[] = []): string[] => [...former, value];

/** Text. An empty one is what a shell makes of a variable that is not set. */
export function filled(value: string): string {
  if (value === "") throw new InvalidArgumentError("It must not be empty.");
  return value;
}

/** Text that is not empty, of an option that may be given once. Without this the last one would win in silence. */
export function once(value: string, former: string | undefined): string {
  if (former !== undefined) throw new InvalidArgumentError("It must be given once.");
  return filled(value);
}

export function wholeNumber(value: string): number {
  if (!/^\d{1,9}$/.test(value)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(value);
}

/** A whole number from `least` to `most`. */
export const between =
  (least: number, most: number) =>
  (value: string): number => {
    const number = /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN;
    if (number >= least && number <= most) return number;
    throw new InvalidArgumentError(`It must be a whole number of ${least}-${most}.`);
  };

/** JSON of the settings that differ from the defaults. Throws SETTINGS_INVALID where they break a rule. */
export function parseSettings(text: string): Settings {
  const json = parseJson(text);
  if (!json.ok || !isObject(json.value)) throw new InvalidArgumentError("It must be a JSON object.");
  return settings(json.value as SettingsOverrides);
}
