import { type EngineSubscriptions, engineSubscriptions } from "../../local/engine/subscriptions.ts";
import type { Subscriptions } from "../../shared/ports.ts";

export type MemorySubscriptions = Subscriptions & Pick<EngineSubscriptions, "rows">;

/** The tag lists of one machine. Like a table they answer later. */
export function memorySubscriptions(): MemorySubscriptions {
  const subscriptions = engineSubscriptions();
  return {
    page: async (tag, query) => subscriptions.page(tag, query),
    filterHolders: async (tag, rows, now) => subscriptions.filterHolders(tag, rows, now),
    add: (tags, holder, expiresAt) => subscriptions.add(tags, holder, expiresAt),
    remove: (tags, holder) => subscriptions.remove(tags, holder),
    rows: () => subscriptions.rows(),
  };
}
