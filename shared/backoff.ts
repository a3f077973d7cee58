/**
 * Exponential backoff with full jitter: evenly spread between zero and base · 2^attempt, but at most the cap.
 * The unit is the caller's. `random` is in [0, 1).
 */
export function backoff(
  attempt: number,
  { base, cap }: { base: number; cap: number },
  random: number,
): number {
  return random * Math.min(cap, base * 2 ** attempt);
}
