/** Time that goes on a millisecond at a time, for a million who wait at once. */
export interface Wheel {
  /** Milliseconds since the start. */
  now(): number;
  sleep(milliseconds: number): Promise<void>;
  /** Goes on until `isOver` returns true or nobody waits. */
  run(isOver: () => boolean): Promise<void>;
}

export function wheel(): Wheel {
  const due = new Map<number, (() => void)[]>();
  let now = 0;
  return {
    now: () => now,
    sleep: (milliseconds) =>
      new Promise((resume) => {
        const at = now + Math.max(1, Math.round(milliseconds));
        const others = due.get(at);
        if (others) others.push(resume);
        else due.set(at, [resume]);
      }),
    async run(isOver) {
      while (due.size > 0 && !isOver()) {
        now++;
        const resumed = due.get(now);
        if (!resumed) continue;
        due.delete(now);
        for (const resume of resumed) resume();
        // By the next macrotask every promise that could go on has done so.
        await new Promise(setImmediate);
      }
    },
  };
}

/** Units that come back by so many a second, of which a second's worth can be saved. */
export interface Bucket {
  /** Takes units if there are that many, or, for a read whose size is known afterwards, any at all. */
  take(units: number): boolean;
  charge(units: number): void;
  /** The most that was taken in one second. */
  busiest(): number;
}

export function bucket({ now }: Pick<Wheel, "now">, perSecond: number): Bucket {
  let [left, since, second, taken, most] = [perSecond, 0, 0, 0, 0];
  const refill = () => {
    left = Math.min(perSecond, left + ((now() - since) / 1_000) * perSecond);
    since = now();
    if (Math.floor(now() / 1_000) !== second) [second, taken] = [Math.floor(now() / 1_000), 0];
  };
  const charge = (units: number) => {
    left -= units;
    taken += units;
    most = Math.max(most, taken);
  };
  return {
    take(units) {
      refill();
      if (left < units) return false;
      charge(units);
      return true;
    },
    charge,
    busiest: () => most,
  };
}
