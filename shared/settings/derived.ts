import { LANES } from "../protocol/lane.ts";
import type { Settings } from "./schema.ts";

/* Values that follow from settings. Functions read them too, so this loads no schema. */

/** Runs of the consumer over all lanes: its reserved concurrency. */
export const reservedConcurrency = ({ lanes }: Pick<Settings, "lanes">): number =>
  LANES.reduce((sum, lane) => sum + lanes[lane].concurrency, 0);

/** Seconds a message lives if its producer says nothing: an hour less than its queue keeps it, so that none vanishes. */
export const lifeSeconds = ({ retentionDays }: Pick<Settings, "retentionDays">): number =>
  retentionDays * 86_400 - 3_600;

/** Seconds a received message stays hidden. */
export const visibilitySeconds = ({ advanced }: Pick<Settings, "advanced">): number =>
  advanced.visibilityFactor * advanced.functions.consume.timeoutSeconds;
