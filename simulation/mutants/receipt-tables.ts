import type { Outcome } from "../../shared/ports.ts";
import type { UserId } from "../../shared/protocol/tag.ts";
import type { Mutant } from "../world/mutant.ts";
import { receipts, receiptTable } from "./change.ts";

const taken = { kind: "claimed", deaths: 0 } as const;
const MINUTE = 60_000;

const withReason = (outcome: Outcome, reason: string | undefined): Outcome =>
  reason !== undefined && "progress" in outcome && outcome.reason === undefined
    ? { ...outcome, reason }
    : outcome;

const reasonIn = (outcome: Outcome): string | undefined => ("reason" in outcome ? outcome.reason : undefined);

/** Takes a row although the claim says that it is over. */
const takes = (why: string) =>
  receiptTable(({ claim }) => ({
    async claim(...asked) {
      const answer = await claim(...asked);
      return answer.kind === "over" && answer.why === why ? taken : answer;
    },
  }));

/** Bugs of the adapter of receipts. */
export const RECEIPT_TABLES = {
  "cancelled-row-taken": { why: "a claim does not look at the cancel", tables: takes("cancelled") },
  "split-row-taken": { why: "a claim does not look at the split", tables: takes("split") },
  "ended-row-taken": { why: "a claim does not look at the ending", tables: takes("ended") },
  "duplicate-taken": { why: "a claim does not look at the dedupe window", tables: takes("duplicate") },
  "stale-cancel": {
    why: "a run looks for a cancel without consistency",
    seed: 2,
    tables: receiptTable(({ cancel, withdrawal }, { scheduler }) => {
      const cancelled = new Map<string, number>();
      return {
        async cancel(producer, id, now) {
          cancelled.set(id, scheduler.now());
          await cancel(producer, id, now);
        },
        withdrawal: async (job) =>
          (cancelled.get(job.message.id) ?? 0) < scheduler.now() - 2_000 ? withdrawal(job) : undefined,
      };
    }),
  },
  "stale-reason": {
    why: "the reason of an earlier run stays on the row",
    tables: receiptTable(({ settle }) => {
      const reasons = new Map<string, string>();
      return {
        settle(job, run, outcome, now) {
          const name = `${job.message.acceptanceId} ${job.range?.from}`;
          const kept = withReason(outcome, reasons.get(name));
          const reason = reasonIn(kept);
          if (reason !== undefined) reasons.set(name, reason);
          return settle(job, run, kept, now);
        },
      };
    }),
  },
  "cancel-too-far": {
    why: "a cancel hits what is posted after it too",
    seed: 3,
    tables: receiptTable(({ cancel }) => ({
      cancel: (producer, id, now) => cancel(producer, id, now + 5 * MINUTE),
    })),
  },
  "producers-mixed": {
    why: "receipts are kept by the id of a message alone",
    tables: receiptTable(({ claim, settle, withdrawal }) => {
      const mixed = <J extends { readonly message: { readonly producer: UserId } }>(job: J): J => ({
        ...job,
        message: { ...job.message, producer: "shop" as UserId },
      });
      return {
        claim: (job, ...asked) => claim(mixed(job), ...asked),
        settle: (job, ...asked) => settle(mixed(job), ...asked),
        withdrawal: (job) => withdrawal(mixed(job)),
      };
    }),
  },
  "replaced-is-cancelled": {
    why: "a job whose message a later one replaced counts as cancelled",
    seed: 207,
    tables: receiptTable(({ withdrawal }) => ({
      withdrawal: async (job) => (await withdrawal(job)) && "cancelled",
    })),
  },
  "failures-hidden": {
    why: "a receipt says delivered although some connections failed",
    seed: 4,
    tables: receiptTable(({ find }) => ({
      async find(...asked) {
        const receipt = await find(...asked);
        return typeof receipt === "object" && receipt.state === "partial"
          ? { ...receipt, state: "delivered" }
          : receipt;
      },
    })),
  },
  "pending-row-lost": {
    why: "the row that names the pending connections is not read",
    ports: receipts(({ claim }) => ({
      async claim(...asked) {
        const answer = await claim(...asked);
        if (answer.kind !== "claimed" || !answer.progress) return answer;
        return { ...answer, progress: { ...answer.progress, pending: [] } };
      },
    })),
  },
  "deaths-never-counted": {
    why: "a run that died is not counted",
    ports: receipts(({ claim }) => ({
      claim: (job, lease, now) => claim(job, { ...lease, returnsAt: Number.MAX_SAFE_INTEGER }, now),
    })),
    in: { poison: 0.05, messages: 3, faults: "none" },
  },
  "deaths-of-the-living": {
    why: "a run that could not write counts as dead",
    ports: receipts(({ claim }) => ({
      claim: (job, lease, now) => claim(job, { ...lease, returnsAt: 0 }, now),
    })),
  },
  "poison-blames-neighbours": {
    why: "suspects are processed side by side, with their neighbours",
    seed: 12,
    ports: receipts(({ claim }) => ({
      claim: (job, lease, now) => claim(job, { ...lease, suspects: true }, now),
    })),
    in: { poison: 0.3, messages: 30, faults: "none" },
  },
} as const satisfies Record<string, Mutant>;
