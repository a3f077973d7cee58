import type { Clock } from "../../../shared/ports.ts";
import { timeHeap } from "../time-heap.ts";
import type { LaneEntry } from "./entry.ts";

/** The entries of all lanes that are hidden: delayed, backing off, or taken by a run. */
export interface Hidden {
  /** Hides an entry until its `visibleAt`. */
  hide(entry: LaneEntry): void;
  /** Hides an entry for the visibility timeout, since a run has taken it. */
  take(entry: LaneEntry): void;
  /** The run of the entry has answered, or its visibility timeout is over. */
  release(entry: LaneEntry): void;
  /** Hands those that are due to `onDue`. */
  wake(): void;
  close(): void;
}

export interface HiddenOptions {
  readonly clock: Pick<Clock, "monotonic">;
  readonly visibilityMilliseconds: number;
  readonly onDue: (entry: LaneEntry) => void;
}

/** Between two looks for runs that have not answered within the visibility timeout, in milliseconds. */
const SWEEP = 1_000;

/** Longest timer that Node.js has, in milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** One timer for all entries with a time of their own, and one look a second at those that runs have. */
export function hiddenEntries({ clock, visibilityMilliseconds, onDue }: HiddenOptions): Hidden {
  const heap = timeHeap<LaneEntry>();
  /** In the order of their times, since all are hidden for as long. */
  const taken = new Set<LaneEntry>();
  let timer: NodeJS.Timeout | undefined;
  let timerAt = Number.POSITIVE_INFINITY;
  let sweptAt = clock.monotonic();

  const setTimer = () => {
    const at = heap.first() ?? Number.POSITIVE_INFINITY;
    if (at >= timerAt) return;
    clearTimeout(timer);
    timerAt = at;
    const wait = Math.min(Math.max(0, Math.ceil(at - clock.monotonic())), LONGEST_TIMER);
    timer = setTimeout(() => {
      timerAt = Number.POSITIVE_INFINITY;
      wake();
    }, wait);
    timer.unref();
  };

  const sweep = (now: number) => {
    sweptAt = now;
    for (const entry of taken) {
      if (entry.visibleAt > now) break;
      taken.delete(entry);
      onDue(entry);
    }
  };

  const wake = () => {
    const now = clock.monotonic();
    for (let entry = heap.takeDue(now); entry !== undefined; entry = heap.takeDue(now)) {
      // One that was removed or hidden anew meanwhile is not due.
      if (entry.state === "hidden" && entry.visibleAt <= now) onDue(entry);
    }
    if (now >= sweptAt + SWEEP) sweep(now);
    setTimer();
  };

  const sweeper = setInterval(wake, SWEEP);
  sweeper.unref();

  return {
    hide(entry) {
      heap.push(entry.visibleAt, entry);
      setTimer();
    },
    take(entry) {
      entry.visibleAt = clock.monotonic() + visibilityMilliseconds;
      taken.add(entry);
    },
    release: (entry) => void taken.delete(entry),
    wake,
    close() {
      clearTimeout(timer);
      clearInterval(sweeper);
    },
  };
}
