import { isRecent } from "../../ports/quota-beats.ts";
import type { QuotaAnswer, QuotaEntry } from "../../ports.ts";
import { type Demand, demandOf } from "./shares.ts";

/** What one container has seen of the others' beats, and so which of them live. Times are monotonic milliseconds. */
export interface Lives {
  /**
   * Takes an answer. Returns the entries of the others that live: those whose count moved lately. One that suddenly
   * needs less goes on to need what it did for a while: it may be between two runs.
   */
  onAnswer(answer: QuotaAnswer, now: number, interval: number): readonly QuotaEntry[];
  /** Returns an entry whose count has not moved for a minute. */
  longDead(now: number): QuotaEntry | undefined;
}

/** Beats without a new count after which an entry is dead. More than its answers are valid: by then it has stopped. */
const LIFE = 3;
/** Beats for which an entry needs what it needed last: more than one, so that two answers have to agree that it is less. */
const NEEDS = 1.5;
/** Milliseconds without a beat after which an entry is removed. */
const LONG = 60_000;

interface Sight {
  readonly entry: QuotaEntry;
  /** What it needs, and when that was seen last. */
  readonly need: Demand;
  readonly seenAt: number;
  /** When its count was seen first. Minus infinity if it was old by the table's time already. */
  readonly since: number;
}

/** `id` is the container's own. */
export function lives(id: string): Lives {
  let sights: ReadonlyMap<string, Sight> = new Map();
  const since = (entry: QuotaEntry, answer: QuotaAnswer, now: number): number => {
    const last = sights.get(entry.id);
    if (last?.entry.count === entry.count) return last.since;
    return last === undefined && !isRecent(entry, answer) ? Number.NEGATIVE_INFINITY : now;
  };
  const needOf = (entry: QuotaEntry, now: number, interval: number): Pick<Sight, "need" | "seenAt"> => {
    const last = sights.get(entry.id);
    const lasts = last && now - last.seenAt < NEEDS * interval && demandOf(last.need) > demandOf(entry);
    return lasts ? last : { need: entry, seenAt: now };
  };
  return {
    onAnswer(answer, now, interval) {
      const sightOf = (entry: QuotaEntry): Sight => {
        const { need, seenAt } = needOf(entry, now, interval);
        return { entry, need, seenAt, since: since(entry, answer, now) };
      };
      const others = answer.entries.filter((entry) => entry.id !== id);
      sights = new Map(others.map((entry) => [entry.id, sightOf(entry)]));
      return [...sights.values()]
        .filter((sight) => now - sight.since < LIFE * interval)
        .map(({ entry, need: { isWaiting, sendsPerSecond, weight } }) => ({
          ...entry,
          ...{ isWaiting, sendsPerSecond, weight },
        }));
    },
    longDead: (now) => [...sights.values()].find(({ since }) => now - since >= LONG)?.entry,
  };
}
