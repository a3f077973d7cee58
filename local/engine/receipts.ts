import { randomUUID } from "node:crypto";
import type { Claim, Lease, Receipts } from "../../shared/ports.ts";
import { claimability, withdrawalOf } from "../../shared/receipts/claimability.ts";
import { fold, rowsWithNames } from "../../shared/receipts/fold.ts";
import type { Job } from "../../shared/receipts/job.ts";
import { MESSAGE_PART, partOf } from "../../shared/receipts/row.ts";
import { isMessageUnrecorded } from "../../shared/receipts/states.ts";
import { CLOCK_MARGIN } from "../../shared/settings/policy.ts";
import {
  cancelled,
  cancelledRow,
  claimOf,
  diedOnce,
  type KeptRow,
  newRow,
  settledBy,
  takenOver,
} from "./receipt-change.ts";
import { receiptKey, receiptRows } from "./receipt-rows.ts";
import type { Store } from "./store/store.ts";

export interface EngineReceiptsOptions {
  readonly store: Store;
  /** Days a receipt is kept after its last change. */
  readonly days: number;
  /** A name of this process, which no other process of the store had. @default a new UUID */
  readonly process?: string;
}

/** Receipt rows in the store. Conditions are evaluated in this process, since no other writes to it. */
export function engineReceipts({ store, days, process = randomUUID() }: EngineReceiptsOptions): Receipts {
  const rows = receiptRows({ store, days, process });
  /**
   * The suspect that a run of this process has. Runs share a process, and its end is the end of them all: if several had
   * suspects, each would count a death that one of them has caused, or nobody.
   */
  let suspect: { readonly key: string; readonly until: number } | undefined;

  const suspected = async (key: string, next: KeptRow, { until }: Lease, now: number, claim: Claim) => {
    suspect = { key, until };
    try {
      await rows.put(key, next, now);
      return claim;
    } catch (fault) {
      suspect = undefined;
      throw fault;
    }
  };

  /**
   * A message that ends the process on every receive MUST be counted, so a claim is on the disk but for the first one.
   * Nobody needs that, unless it says where in its stream the message may have been appended.
   */
  const claimed = (
    key: string,
    next: KeptRow,
    { receive }: Lease,
    now: number,
    claim: Claim,
  ): Claim | Promise<Claim> => {
    if (receive > 1) return rows.put(key, next, now).then(() => claim);
    if (claim === NEW_MESSAGE && next.row.after === undefined) rows.hold(key, next);
    else rows.putLater(key, next, now);
    return claim;
  };

  return {
    claim(job, lease, now) {
      const key = keyOf(job);
      const kept = rows.get(key, lease.receive);
      if (kept === undefined)
        return claimed(key, newRow(job, lease, now), lease, now, job.range ? NEW : NEW_MESSAGE);
      const isAnother = kept.row.acceptanceId !== job.message.acceptanceId;
      const { producer, id } = job.message;
      const all = kept.row.split && isAnother ? rows.all(producer, id).map(({ row }) => row) : [];
      const found = claimability(kept.row, job, lease, now, all);
      const isSuspect = found.kind === "died" || (found.kind === "open" && isSuspicious(kept));
      if (isSuspect && lease.suspects && suspect && suspect.key !== key && now < suspect.until)
        // It is asked for again as soon as may be: there is one clock here.
        return { kind: "leased", until: now - CLOCK_MARGIN };
      switch (found.kind) {
        case "open":
          return (isSuspect ? suspected : claimed)(
            key,
            takenOver(kept, lease, now),
            lease,
            now,
            claimOf(kept),
          );
        case "replaceable":
          return found.cancelled
            ? claimed(key, cancelledRow(kept, job, lease, now), lease, now, CANCELLED)
            : claimed(key, newRow(job, lease, now), lease, now, NEW);
        case "died": {
          const { deaths } = found;
          const died = diedOnce(kept, deaths);
          if (!lease.suspects) return rows.put(key, died, now).then(() => ({ kind: "suspect", deaths }));
          return suspected(key, takenOver(died, lease, now), lease, now, claimOf(died));
        }
        default:
          return found;
      }
    },
    settle(job, run, outcome, now) {
      const key = keyOf(job);
      const kept = rows.get(key);
      if (kept?.row.run !== run) return "superseded";
      const { cancelledAt, split } = kept.row;
      if (outcome.kind !== "ended" && cancelledAt !== undefined && !split) return "cancelled";
      const settled = settledBy(kept, outcome, job.seq, now);
      if (suspect?.key === key) {
        // On the disk before the next suspect is taken: what had ended would count the death of that one.
        return rows
          .put(key, settled, now)
          .then(() => "written" as const)
          .finally(() => {
            suspect = undefined;
          });
      }
      rows.putLater(key, settled, now);
      return "written";
    },
    withdrawal({ message, ...job }) {
      const kept = rows.get(receiptKey(message.producer, message.id, MESSAGE_PART));
      return kept && withdrawalOf(kept.row, { message, ...job });
    },
    async cancel(producer, id, now) {
      const key = receiptKey(producer, id, MESSAGE_PART);
      await rows.put(key, cancelled(rows.get(key), producer, id, now), now);
    },
    async find(producer, id, now) {
      // What a client has read MUST NOT be taken back by a power cut. On a full disk it reads what is kept.
      const found = await rows.onDisk(producer, id, now);
      if (found.length === 0) return undefined;
      const all = found.map(({ row }) => row);
      if (isMessageUnrecorded(all, now)) return "unrecorded";
      const named = new Set(rowsWithNames(all, now));
      const details = found
        .filter(({ row }) => named.has(row))
        .map((kept) => [kept.row.part, kept.details] as const);
      return fold(all, now, new Map(details));
    },
  };
}

/** A dead letter that was redriven begins anew. */
const isSuspicious = ({ row: { deaths = 0, ending } }: KeptRow): boolean =>
  deaths > 0 && ending === undefined;

const NEW: Claim = { kind: "claimed", deaths: 0 };
/** Of a message that has no row. */
const NEW_MESSAGE: Claim = { ...NEW };
const CANCELLED: Claim = { kind: "over", why: "cancelled" };

const keyOf = (job: Job): string => receiptKey(job.message.producer, job.message.id, partOf(job));
