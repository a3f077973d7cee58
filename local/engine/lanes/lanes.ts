import type { Clock } from "../../../shared/ports.ts";
import type { Lane } from "../../../shared/protocol/lane.ts";
import type { LaneEntry } from "./entry.ts";
import { hiddenEntries } from "./hidden.ts";
import { type ByLane, byLane } from "./lane.ts";
import { visibleEntries } from "./visible.ts";

/** How many entries a lane has. */
export interface LaneSize {
  readonly visible: number;
  /** Delayed and backing off. */
  readonly hidden: number;
  /** A run has them. */
  readonly taken: number;
}

/** The entries of all lanes, and which of them can be taken. Nothing of it is on the disk. */
export interface Lanes {
  /** Adds an entry, visible or hidden until its `visibleAt`. */
  add(entry: LaneEntry): void;
  /** Takes the next visible entry out of its lane, and hides it for the visibility timeout. */
  take(lane: Lane): LaneEntry | undefined;
  /** Returns the entry that was last received with this handle. */
  received(receiptHandle: string): LaneEntry | undefined;
  /** Hides a received entry for `milliseconds`. One that is visible stays so. */
  hide(entry: LaneEntry, milliseconds: number): void;
  remove(entry: LaneEntry): void;
  /** Makes visible what is due. */
  wake(): void;
  sizes(): ByLane<LaneSize>;
  close(): void;
}

export interface LanesOptions {
  readonly clock: Pick<Clock, "monotonic">;
  readonly fair: boolean;
  readonly visibilityMilliseconds: number;
  /** Called when entries that were there have become visible again. */
  readonly onVisible: (lane: Lane) => void;
}

type Counts = Record<Exclude<LaneEntry["state"], "removed">, number>;

export function lanesInMemory({ clock, fair, visibilityMilliseconds, onVisible }: LanesOptions): Lanes {
  const entries = new Map<number, LaneEntry>();
  const visible = byLane(() => visibleEntries(fair));
  const counts = byLane((): Counts => ({ visible: 0, hidden: 0, taken: 0 }));

  const enter = (entry: LaneEntry, state: keyof Counts) => {
    entry.state = state;
    counts[entry.lane][state]++;
  };
  const leave = ({ lane, state }: LaneEntry) => {
    if (state !== "removed") counts[lane][state]--;
  };
  const show = (entry: LaneEntry) => {
    enter(entry, "visible");
    visible[entry.lane].push(entry);
  };
  const showAgain = (entry: LaneEntry) => {
    leave(entry);
    show(entry);
    onVisible(entry.lane);
  };
  const hidden = hiddenEntries({ clock, visibilityMilliseconds, onDue: showAgain });
  const hide = (entry: LaneEntry) => {
    enter(entry, "hidden");
    hidden.hide(entry);
  };

  return {
    add(entry) {
      entries.set(entry.key, entry);
      if (entry.visibleAt > 0) hide(entry);
      else show(entry);
    },
    take(lane) {
      let entry = visible[lane].shift();
      while (entry?.state === "removed") entry = visible[lane].shift();
      if (entry === undefined) return undefined;
      leave(entry);
      enter(entry, "taken");
      hidden.take(entry);
      return entry;
    },
    received(receiptHandle) {
      const entry = entries.get(Number(receiptHandle.slice(0, receiptHandle.indexOf("."))));
      return entry?.receiptHandle === receiptHandle ? entry : undefined;
    },
    hide(entry, milliseconds) {
      if (entry.state === "visible" || entry.state === "removed") return;
      hidden.release(entry);
      if (milliseconds <= 0) return showAgain(entry);
      leave(entry);
      entry.visibleAt = clock.monotonic() + milliseconds;
      hide(entry);
    },
    remove(entry) {
      hidden.release(entry);
      leave(entry);
      entry.state = "removed";
      entries.delete(entry.key);
    },
    wake: () => hidden.wake(),
    sizes: () => byLane((lane) => ({ ...counts[lane] })),
    close: () => hidden.close(),
  };
}
