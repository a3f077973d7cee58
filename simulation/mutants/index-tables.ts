import type { Mutant } from "../world/mutant.ts";
import { listTable } from "./change.ts";

/** Milliseconds for which a read that does not ask for consistency may not see a write. */
const STALE = 1_000;

/** Bugs of the adapters of the tag index. */
export const INDEX_TABLES = {
  "stale-page": {
    why: "pages of a list are read without consistency",
    seed: 4,
    tables: listTable(({ add, page }, { scheduler }) => {
      const written = new Map<string, number>();
      return {
        async add(tags, holder, expiresAt) {
          for (const tag of tags) written.set(`${tag} ${holder.connectionId}`, scheduler.now());
          await add(tags, holder, expiresAt);
        },
        async page(tag, query) {
          const read = await page(tag, query);
          const isOld = (id: string) => (written.get(`${tag} ${id}`) ?? 0) < scheduler.now() - STALE;
          return { ...read, rows: read.rows.filter(({ connectionId }) => isOld(connectionId)) };
        },
      };
    }),
  },
  "stale-row": {
    why: "a connection's row is read without consistency",
    tables: ({ connections }, { scheduler }) => {
      const opened = new Map<string, number>();
      return {
        connections: {
          ...connections,
          async put(connection) {
            opened.set(connection.connectionId, scheduler.now());
            await connections.put(connection);
          },
          read: async (id, now) =>
            (opened.get(id) ?? 0) > scheduler.now() - STALE ? undefined : connections.read(id, now),
        },
      };
    },
  },
  "unprocessed-rows-dropped": {
    why: "rows that a batch left unprocessed are not written",
    tables: listTable(({ add }, { dice }) => ({
      async add(...asked) {
        if (!dice.chance(0.1)) await add(...asked);
      },
    })),
  },
  "unprocessed-deletes-dropped": {
    why: "deletes that a batch left unprocessed are not made",
    tables: listTable(({ remove }, { dice }) => ({
      async remove(...asked) {
        if (!dice.chance(0.3)) await remove(...asked);
      },
    })),
  },
  "ttl-in-milliseconds": {
    why: "rows of a list are kept a thousand times too long",
    ports: ({ subscriptions }) => ({
      subscriptions: {
        ...subscriptions,
        add: (tags, holder, expiresAt) => subscriptions.add(tags, holder, expiresAt * 1000),
      },
    }),
  },
  "first-page-only": {
    why: "a page does not say that more follow",
    tables: listTable(({ page }) => ({
      async page(...asked) {
        const { next: _, ...read } = await page(...asked);
        return read;
      },
    })),
  },
  "none-ignored": {
    why: "connections that hold a tag of `none` are not left out",
    seed: 3,
    ports: ({ receipts, subscriptions }) => {
      const barred = new Set<string>();
      return {
        receipts: {
          ...receipts,
          claim(job, ...asked) {
            const { target } = job.message;
            if ("tags" in target) for (const tag of target.tags.none ?? []) barred.add(tag);
            return receipts.claim(job, ...asked);
          },
        },
        subscriptions: {
          ...subscriptions,
          page: async (tag, query) =>
            barred.has(tag) ? { rows: [], read: 0 } : subscriptions.page(tag, query),
          filterHolders: async (tag, ...asked) =>
            barred.has(tag) ? new Set() : subscriptions.filterHolders(tag, ...asked),
        },
      };
    },
  },
} as const satisfies Record<string, Mutant>;
