import { isRecent } from "../../ports/quota-beats.ts";
import type { QuotaAnswer, QuotaEntry } from "../../ports.ts";

/** What one container has seen of the others' beats, and so which of them live. Times are monotonic milliseconds. */
export interface Lives {
  /** Takes an answer. Returns the entries of the others that live: those whose count moved lately. */
  onAnswer(answer: QuotaAnswer, now: number, lifeMilliseconds: number): readonly QuotaEntry[];
  /** Returns an entry whose count has not moved for a minute. */
  longDead(now: number): QuotaEntry | undefined;
}

/** Milliseconds without a beat after which an entry is removed. */
const LONG = 60_000;

interface Sight {
  readonly entry: QuotaEntry;
  /** When its count was seen first. Minus infinity if it was old by the table's time already. */
  readonly since: number;
}

/** `id` is the container's own. */
export function lives(id: string): Lives {
  let sights: ReadonlyMap<string, Sight> = new Map();
  const sight = (entry: QuotaEntry, answer: QuotaAnswer, now: number): Sight => {
    const last = sights.get(entry.id);
    if (last?.entry.count === entry.count) return { entry, since: last.since };
    const isOld = last === undefined && !isRecent(entry, answer);
    return { entry, since: isOld ? Number.NEGATIVE_INFINITY : now };
  };
  return {
    onAnswer(answer, now, life) {
      const others = answer.entries.filter((entry) => entry.id !== id);
      sights = new Map(others.map((entry) => [entry.id, sight(entry, answer, now)]));
      return [...sights.values()].filter(({ since }) => now - since < life).map(({ entry }) => entry);
    },
    longDead: (now) => [...sights.values()].find(({ since }) => now - since >= LONG)?.entry,
  };
}
