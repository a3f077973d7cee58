import { type BeatLoop, beatLoop } from "../../shared/pipeline/quota/beat-loop.ts";
import { type QuotaShare, quotaShare } from "../../shared/pipeline/quota/share.ts";
import { reservedConcurrency } from "../../shared/settings/derived.ts";
import { sendsPerSecondOf } from "../../shared/settings/policy.ts";
import type { Settings } from "../../shared/settings/schema.ts";
import { newIds } from "../runtime/new-id.ts";
import { quotaBeatsOf } from "./quota-beats.ts";
import type { Runtime } from "./runtime.ts";

export interface Quota {
  /** What this container may send. */
  readonly share: QuotaShare;
  readonly beats: BeatLoop;
}

/** How this container shares the quota of the account with the others that are busy. */
export function quotaOf(runtime: Runtime, table: string, settings: Settings): Quota {
  const { clock, random } = runtime;
  const share = quotaShare({
    // The end of a UUIDv7 is random. 12 digits tell containers apart and keep the item small.
    id: newIds(clock, random)().slice(-12),
    capacity: sendsPerSecondOf(settings),
    runs: reservedConcurrency(settings),
    clock,
  });
  const beats = quotaBeatsOf(runtime, table, settings);
  const { quotaRequestsPerSecond: requestsPerSecond } = settings;
  return { share, beats: beatLoop({ share, beats, clock, requestsPerSecond }) };
}
