import { readSettings } from "../../shared/settings/former.ts";
import type { Settings } from "../../shared/settings/schema.ts";
import type { Env, FunctionName } from "../../shared/settings/variables.ts";

/** The settings of a function, with the quota that the account had when the stack was deployed, if it was read then. */
export function settingsOf({
  SETTINGS,
  QUOTA_REQUESTS_PER_SECOND,
}: Pick<Env<FunctionName>, "SETTINGS" | "QUOTA_REQUESTS_PER_SECOND">): Settings {
  const settings = readSettings(SETTINGS);
  const read = Number(QUOTA_REQUESTS_PER_SECOND);
  return read > 0 ? { ...settings, quotaRequestsPerSecond: read } : settings;
}
