/** The requests of an account, as API Gateway counts them: a token bucket. */
export interface Bucket {
  /** Returns true if a request may pass at `now` (milliseconds). */
  take(now: number): boolean;
}

export function bucket({ perSecond, burst }: { readonly perSecond: number; readonly burst: number }): Bucket {
  let tokens = burst;
  let filled = 0;
  return {
    take(now) {
      tokens = Math.min(burst, tokens + ((now - filled) * perSecond) / 1_000);
      filled = now;
      if (tokens < 1) return false;
      tokens--;
      return true;
    },
  };
}
