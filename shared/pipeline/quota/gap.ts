import type { Clock } from "../../ports.ts";
import { type Moment, momentOf, since } from "./moment.ts";

/** The time between two runs of a container: its share of the quota lies idle, since the others hear of that too late. */
export interface Gap {
  /** A run that had a rate has ended. */
  begin(rate: number): void;
  /** The next one has a rate. Returns the sends that may be made up for: those of the gap at the lower of both rates. */
  end(rate: number): number;
}

/** Milliseconds that are made up for, so that the second after a gap of all containers takes less than a tenth more. */
const MOST = 75;

export function gap(clock: Pick<Clock, "now" | "monotonic">, interval: () => number): Gap {
  let open: { readonly rate: number; readonly at: Moment } | undefined;
  return {
    begin(rate) {
      open = { rate, at: momentOf(clock) };
    },
    end(rate) {
      const last = open;
      open = undefined;
      // Somebody else may have had the share meanwhile.
      if (!last || since(clock, last.at) >= interval()) return 0;
      return (Math.min(rate, last.rate) * Math.min(MOST, clock.monotonic() - last.at.monotonic)) / 1_000;
    },
  };
}
