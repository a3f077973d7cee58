import type { Page, Sockets, Subscriptions } from "../../shared/ports.ts";
import { isFanoutLane } from "../../shared/protocol/lane.ts";
import type { Tag } from "../../shared/protocol/tag.ts";
import { after, sortKey } from "../../shared/receipts/hash-range.ts";
import type { Job } from "../../shared/receipts/job.ts";
import { NO_PROGRESS } from "../../shared/receipts/receipt.ts";
import type { Mutant } from "../world/mutant.ts";
import type { Simulation } from "../world/world.ts";
import { queue, receipts } from "./change.ts";

const HALF_A_DAY = 12 * 3_600_000;
const HALF_A_MINUTE = 30_000;

/** Deletes the row of the key, whichever connection it is of. */
const removeByKey =
  ({ remove }: Subscriptions, { tables }: Simulation): Subscriptions["remove"] =>
  async (tags, { connectionId }) => {
    const from = sortKey(connectionId);
    const found = async (tag: Tag) =>
      tables.subscriptions.page(tag, { from, to: after(from), limit: 1, now: 0 });
    for (const tag of tags) for (const row of (await found(tag)).rows) await remove([tag], row);
  };

const caches = new WeakMap<Simulation, Map<string, { readonly page: Page; readonly until: number }>>();

/** Pages are kept for half a minute, for all runs. */
const cached =
  ({ page }: Subscriptions, world: Simulation): Subscriptions["page"] =>
  async (tag, query) => {
    const pages = caches.get(world) ?? new Map();
    caches.set(world, pages);
    const key = `${tag} ${query.from} ${query.to} ${query.limit}`;
    const known = pages.get(key);
    if (known && known.until > world.scheduler.now()) return known.page;
    const read = await page(tag, query);
    pages.set(key, { page: read, until: world.scheduler.now() + HALF_A_MINUTE });
    return read;
  };

const goneIsSent =
  ({ send }: Pick<Sockets, "send">): Sockets["send"] =>
  async (...sent) => {
    const result = await send(...sent);
    return result.kind === "gone" ? { kind: "sent" } : result;
  };

const withoutExpiry = ({ message, ...job }: Job): Job => ({
  ...job,
  message: { ...message, expiresAt: Number.MAX_SAFE_INTEGER },
});

/** Bugs around the pipeline as a whole. */
export const AROUND = {
  "no-claim": {
    why: "a run delivers whatever the table says about its claim",
    ports: receipts(({ claim }) => ({
      claim: async (...asked) => {
        const answer = await claim(...asked);
        return answer.kind === "claimed" ? answer : { kind: "claimed", deaths: 0 };
      },
    })),
  },
  "no-expiry-in-jobs": {
    why: "the jobs of a split message do not know its deadline",
    seed: 15,
    ports: queue(({ send }) => ({
      send: (lane, entries) =>
        send(
          lane,
          isFanoutLane(lane)
            ? entries.map(({ job, ...rest }) => ({ ...rest, job: withoutExpiry(job) }))
            : entries,
        ),
    })),
  },
  "delete-by-id": {
    why: "rows are deleted by connection id alone, not by connect time",
    seed: 68,
    ports: ({ connections, subscriptions }, world) => ({
      connections: { ...connections, delete: ({ connectionId }) => connections.delete({ connectionId }) },
      subscriptions: { ...subscriptions, remove: removeByKey(subscriptions, world) },
    }),
  },
  "long-lease": {
    why: "a lease is longer than the visibility timeout",
    ports: receipts(({ claim }) => ({
      claim: (job, lease, now) => claim(job, { ...lease, until: lease.until + HALF_A_DAY }, now),
    })),
  },
  "short-lease": {
    why: "a lease ends before its run may",
    ports: receipts(({ claim }) => ({
      claim: (job, lease, now) => claim(job, { ...lease, until: now + 1_000 }, now),
    })),
  },
  "early-ending": {
    why: "the ending of a split message is written before that of its last job",
    ports: receipts(({ settle }) => ({
      settle: async (job, run, outcome, now) => {
        if (outcome.kind === "split") return "written";
        const done = { kind: "ended", ending: "delivered", progress: NO_PROGRESS } as const;
        return settle(job, run, outcome.kind === "queued" ? done : outcome, now);
      },
    })),
  },
  "retry-to-all": {
    why: "a retry posts to everybody instead of the pending connections",
    ports: receipts(({ claim }) => ({
      claim: async (...asked) => {
        const { progress, ...answer } = { progress: undefined, ...(await claim(...asked)) };
        return answer;
      },
    })),
  },
  "forgotten-pending": {
    why: "a retry knows nothing of the connections that were busy",
    ports: receipts(({ settle }) => ({
      settle: (job, run, outcome, now) =>
        settle(
          job,
          run,
          outcome.kind === "retry" ? { ...outcome, progress: { ...outcome.progress, pending: [] } } : outcome,
          now,
        ),
    })),
  },
  "no-window": {
    why: "the dedupe window of every message is over at once",
    ports: queue(({ send }) => ({
      send: (lane, entries) =>
        send(
          lane,
          entries.map(({ job, ...rest }) => ({
            ...rest,
            job: { ...job, message: { ...job.message, dedupeSeconds: 0 } },
          })),
        ),
    })),
  },
  "deaf-to-cancel": {
    why: "a run does not look whether its message was cancelled",
    ports: receipts(() => ({ withdrawal: async () => undefined })),
  },
  "silent-death": {
    why: "the last run does not write dead before it dead-letters a message",
    seed: 12,
    ports: receipts(({ settle }) => ({
      settle: (job, run, outcome, now) =>
        outcome.kind === "ended" && outcome.ending === "dead"
          ? settle(job, run, { kind: "retry", progress: outcome.progress }, now)
          : settle(job, run, outcome, now),
    })),
  },
  "no-tombstone": {
    why: "what is dead does not reach the dead-letter queue",
    ports: queue(() => ({ deadLetter: async () => {} })),
  },
  "cached-index": {
    why: "runs take pages of the index from a cache",
    ports: ({ subscriptions }, world) => ({
      subscriptions: { ...subscriptions, page: cached(subscriptions, world) },
    }),
  },
  "rows-stay": {
    why: "nothing is ever deleted from the index",
    ports: ({ subscriptions }) => ({ subscriptions: { ...subscriptions, remove: async () => {} } }),
  },
  "unbounded-sends": {
    why: "a run sends to as many connections at a time as it likes",
    seed: 2,
    policy: () => ({ sendsInFlight: 1_000 }),
  },
  "gone-is-sent": {
    why: "a post to a closed socket counts as sent",
    ports: ({ sockets }) => ({ sockets: { ...sockets, send: goneIsSent(sockets) } }),
  },
} as const satisfies Record<string, Mutant>;
