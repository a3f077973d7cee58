import { FANOUT_LANES } from "../protocol/lane.ts";
import { FORMER_QUEUE_URL, QUEUE_URL } from "./queues.ts";
import type { Settings } from "./schema.ts";

/*
 * For the seconds of an update a function may run with the code of this release and the variables of the one before
 * (0.1.0), or the other way round. That release had one fanout lane, and containers did not share a quota.
 */

/** The variable SETTINGS. Code of the release before finds the limits of its one fanout lane there too. */
export const settingsVariable = ({ lanes, ...settings }: Settings): string =>
  JSON.stringify({ lanes: { ...lanes, fanout: lanes["fanout-normal"] }, ...settings });

/** Reads the variable SETTINGS of this release or the one before, whose one fanout lane then is all three. */
export function readSettings(text: string): Settings {
  const { lanes, ...settings } = JSON.parse(text) as Settings & { lanes: { fanout?: unknown } };
  const { fanout, ...present } = lanes;
  return { ...LATER, ...settings, lanes: { ...eachFanoutLane(fanout), ...present } };
}

/** The settings that functions read and the release before did not have, as they are if nobody sets them. */
const LATER: Pick<Settings, "quotaName" | "failureReceiptsOnly" | "detailedLog" | "spreadTags"> = {
  quotaName: "api-gateway",
  failureReceiptsOnly: false,
  detailedLog: true,
  spreadTags: [],
};

/**
 * The variables with those of the release before in the place of what they lack: its one fanout lane is all three, and the
 * table of quotas is one that nobody reaches, so that a container sends as if the table were away.
 */
export function withFormer(env: Variables): Variables {
  const former = env[FORMER_QUEUE_URL];
  if (!former) return env;
  const lanes = Object.fromEntries(FANOUT_LANES.map((lane) => [QUEUE_URL[lane], former]));
  return { ...lanes, QUOTAS_TABLE: "none", ...env };
}

type Variables = Readonly<Record<string, string | undefined>>;

const eachFanoutLane = <T>(value: T): Record<(typeof FANOUT_LANES)[number], T> =>
  Object.fromEntries(FANOUT_LANES.map((lane) => [lane, value])) as Record<(typeof FANOUT_LANES)[number], T>;
