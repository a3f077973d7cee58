import { requestHandler } from "../../shared/adapters/sdk/client.ts";
import type { FunctionSettings } from "../../shared/settings/schema.ts";

export interface ClientLimits extends Pick<FunctionSettings, "timeoutSeconds"> {
  /** HTTP connections at most. */
  readonly maxSockets: number;
}

/**
 * Milliseconds before one try of a call counts as failed, at most, and at least for each try beyond the first: a longer
 * wait is worth more than a third try, since a process that stalls for so long takes an answer that came for none.
 */
const TRY = { most: 5_000, least: 1_000 };

/** Tries of a call at most: the SDK's own number. */
const ATTEMPTS = 3;

/** The part of its time that a function gives one call: two can be made in turn, and a tenth is left to answer. */
const SHARE = 0.45;

/** Milliseconds the SDK waits before the second try after a throttled one; twice that before each further one. */
const THROTTLED = 1_000;

/** The most milliseconds of all pauses between `tries` tries: full jitter never takes more. */
export const pausesOf = (maxAttempts: number): number => THROTTLED * (2 ** (maxAttempts - 1) - 1);

/**
 * What an SDK client is given so that a call never outlives the function: one that is late is killed and answers
 * nothing. With `n` tries of `t` milliseconds and the pauses between them, `n · t + pauses ≤ 0.45 · timeout`: so two calls in
 * turn fit (a write that fails, and what takes it back), and so does one whose every answer stops midway, since the
 * silence within a body is bounded by `t` as well. Three tries if each can have two
 * seconds, otherwise two if each can have one, otherwise one.
 * In 10 s that is two tries of 1.75 s.
 */
export function clientOptions({ timeoutSeconds, maxSockets }: ClientLimits) {
  const time = SHARE * timeoutSeconds * 1_000;
  const tryOf = (attempts: number) => (time - pausesOf(attempts)) / attempts;
  let maxAttempts = ATTEMPTS;
  while (maxAttempts > 1 && tryOf(maxAttempts) < TRY.least * (maxAttempts - 1)) maxAttempts--;
  const requestTimeout = Math.max(1, Math.floor(Math.min(TRY.most, tryOf(maxAttempts))));
  return { maxAttempts, requestHandler: requestHandler(requestTimeout, maxSockets) };
}
