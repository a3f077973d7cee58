/** A budget of `burst` units at once, which fills again by `perSecond` units a second. */
export interface BucketLimits {
  readonly burst: number;
  readonly perSecond: number;
}

/**
 * What a bucket becomes. `restart`: it was full, and is full again at `until`. `extend`: `by` milliseconds later than
 * it would have been, which holds as long as it was to be full by `most`.
 */
export type Spending =
  | { readonly kind: "restart"; readonly until: number }
  | { readonly kind: "extend"; readonly by: number; readonly most: number };

export type Spent =
  | { readonly kind: "allowed"; readonly spending: Spending }
  /** `retryAfter`: whole seconds until the bucket holds enough. */
  | { readonly kind: "refused"; readonly retryAfter: number };

/**
 * Takes `cost` units out of a bucket. Its whole state is `until`: when it is full again, in milliseconds of the clock
 * that `now` is from (the generic cell rate algorithm, ITU-T I.371). A bucket that says it will be full later than an
 * empty one could be was written by a clock that has been set back since, and counts as full.
 */
export function spend(
  { burst, perSecond }: BucketLimits,
  until: number | undefined,
  cost: number,
  now: number,
): Spent {
  const window = (burst / perSecond) * 1000;
  const by = Math.ceil((cost / perSecond) * 1000);
  const full = until === undefined || until <= now || until > now + window;
  const most = Math.floor(now + window) - by;
  const start = full ? now : until;
  if (start > most) return { kind: "refused", retryAfter: Math.max(1, Math.ceil((start - most) / 1000)) };
  return {
    kind: "allowed",
    spending: full ? { kind: "restart", until: now + by } : { kind: "extend", by, most },
  };
}

/** What a bucket whose state was `until` has become by a spending. */
export const budgetAfter = (until: number | undefined, spending: Spending): number =>
  spending.kind === "restart" ? spending.until : (until ?? 0) + spending.by;
