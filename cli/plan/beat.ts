import { reservedConcurrency } from "../../shared/settings/derived.ts";
import { sendsPerSecondOf } from "../../shared/settings/policy.ts";
import type { Settings } from "../../shared/settings/schema.ts";

/*
 * A container whose sends have to wait for turns of the quota beats at once, then twice a second, and once more when its run
 * ends. A test holds this against the code that beats.
 */

/** Seconds from one beat to the next, at least, and for each container that beats. */
const BEAT = { least: 0.5, each: 0.025 };
/** Seconds for which a container remembers the others; after that it beats twice at first. */
export const REMEMBERED = 10;
/** The part of an even split at which a container begins, and the seconds of unused sends that it may make at once. */
const UNANSWERED = 0.5;
const BURST = 0.25;

/** The beats of runs that deliver one message. */
export interface Beats {
  readonly all: number;
  /** Those of them that a container leaves out if it has beaten lately. */
  readonly first: number;
}

export const NO_BEATS: Beats = { all: 0, first: 0 };

/** The beats of one run that makes so many sends in this time, while `side` runs send side by side. */
export function beatsOf(
  { sends, seconds, side = 1 }: { readonly sends: number; readonly seconds: number; readonly side?: number },
  settings: Settings,
): Beats {
  const even = sendsPerSecondOf(settings) / reservedConcurrency(settings);
  if (sends <= Math.max(1, even * UNANSWERED * BURST)) return NO_BEATS;
  return { all: 3 + Math.floor(seconds / Math.max(BEAT.least, BEAT.each * side)), first: 1 };
}
