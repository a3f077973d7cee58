import type { QuotaAnswer, QuotaBeats, QuotaEntry } from "../../shared/ports.ts";

/** The beats of one quota, in a Map. */
export function memoryQuotaBeats(now: () => number = Date.now): QuotaBeats {
  const entries = new Map<string, QuotaEntry>();
  const answer = (): QuotaAnswer => ({ entries: [...entries.values()], at: now() });
  return {
    async beat(entry) {
      entries.set(entry.id, entry);
      return answer();
    },
    read: async () => answer(),
    async remove({ id, count }) {
      if (entries.get(id)?.count === count) entries.delete(id);
    },
  };
}
