import type { Scheduler } from "./scheduler.ts";

/** What can be down for a while, as a whole. */
export const OUTAGES = [
  "gateway-503", // every send and probe is answered 503
  "gateway-403", // every send and probe is answered 403
  "table-throttled", // every call to a table fails
  "table-half", // every second call to a table fails, by chance
  "runs-throttled", // no run starts
] as const;
export type OutageKind = (typeof OUTAGES)[number];

/** Windows of time in which something is down. */
export interface Outages {
  is(kind: OutageKind): boolean;
  /** Begins one now, or makes it longer. */
  begin(kind: OutageKind, milliseconds: number): void;
  /** Ends all that last. */
  calm(): void;
  /** When the last one ends or has ended, in milliseconds since 1970. Undefined: there was none. */
  endedAt(): number | undefined;
}

export function outages({ now }: Pick<Scheduler, "now">): Outages {
  const until = new Map<OutageKind, number>();
  let last: number | undefined;
  return {
    is: (kind) => (until.get(kind) ?? 0) > now(),
    begin(kind, milliseconds) {
      const end = Math.max(until.get(kind) ?? 0, now() + milliseconds);
      until.set(kind, end);
      last = Math.max(last ?? 0, end);
    },
    calm: () => until.clear(),
    endedAt: () => last,
  };
}
