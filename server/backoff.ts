import { backoff } from "../shared/backoff.ts";

/** When a failed call is tried again. */
export interface RetryPolicy {
  /** The number of requests for one call, the first included. */
  readonly maxAttempts: number;
  /** No request starts later than this after the first one, in seconds. */
  readonly retrySeconds: number;
}

/** Bounds of the delay that doubles with each attempt, in milliseconds. */
const DELAY = { base: 250, cap: 20_000 };

/**
 * Returns the milliseconds to wait before the next attempt, or undefined if there is none. `attempts` is the number of
 * requests so far, `elapsed` the milliseconds since the first. Full jitter; a `Retry-After` is a lower bound, and the
 * jitter comes on top of it, so that callers that were told the same time do not come back together.
 */
export function delayBefore(
  { maxAttempts, retrySeconds }: RetryPolicy,
  {
    attempts,
    elapsed,
    retryAfterSeconds = 0,
  }: { attempts: number; elapsed: number; retryAfterSeconds?: number | undefined },
  random: number,
): number | undefined {
  if (attempts >= maxAttempts) return undefined;
  const delay = retryAfterSeconds * 1000 + backoff(attempts - 1, DELAY, random);
  return elapsed + delay <= retrySeconds * 1000 ? delay : undefined;
}

/**
 * Reads a `Retry-After` header (RFC 9110 §10.2.3): seconds, or a date. Returns seconds from `now` (milliseconds since
 * 1970), 0 for a date that has passed, and undefined for anything else.
 */
export function retryAfterOf(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  if (/^\s*\d+\s*$/.test(header)) return Number(header);
  // Without a letter Date.parse takes numbers, such as -1 or 1.5, for years and months.
  const date = /[a-z]/i.test(header) ? Date.parse(header) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, (date - now) / 1000);
}
