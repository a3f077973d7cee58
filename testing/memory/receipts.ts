import {
  cancelled,
  cancelledRow,
  claimOf,
  diedOnce,
  type KeptRow,
  newRow,
  settledBy,
  takenOver,
} from "../../local/engine/receipt-change.ts";
import type { Claim, Receipts } from "../../shared/ports.ts";
import type { MessageId } from "../../shared/protocol/message.ts";
import type { UserId } from "../../shared/protocol/tag.ts";
import { claimability, withdrawalOf } from "../../shared/receipts/claimability.ts";
import { fold, rowsWithNames } from "../../shared/receipts/fold.ts";
import type { Job } from "../../shared/receipts/job.ts";
import { MESSAGE_PART, NO_DETAILS, partOf, type ReceiptRow } from "../../shared/receipts/row.ts";
import { isMessageUnrecorded } from "../../shared/receipts/states.ts";

export interface MemoryReceipts extends Receipts {
  /** All rows of one message. */
  rowsOf(producer: UserId, id: MessageId): readonly ReceiptRow[];
}

/** Receipt rows in a Map of Maps. */
export function memoryReceipts(): MemoryReceipts {
  const messages = new Map<string, Map<string, KeptRow>>();
  const partsOf = (producer: string, id: string) => {
    const key = `${producer}#${id}`;
    const parts = messages.get(key) ?? new Map<string, KeptRow>();
    messages.set(key, parts);
    return parts;
  };
  const storedOf = ({ message }: Job) => partsOf(message.producer, message.id);
  const rowsIn = (parts: ReadonlyMap<string, KeptRow>) => [...parts.values()].map(({ row }) => row);

  return {
    async claim(job, lease, now): Promise<Claim> {
      const parts = storedOf(job);
      const part = partOf(job);
      const stored = parts.get(part);
      const store = (kept: KeptRow) => void parts.set(part, kept);
      if (!stored) {
        store(newRow(job, lease, now));
        return { kind: "claimed", deaths: 0 };
      }
      const found = claimability(stored.row, job, lease, now, rowsIn(parts));
      switch (found.kind) {
        case "open":
          store(takenOver(stored, lease, now));
          // Copied, since a table would not hand out what it keeps either.
          return structuredClone(claimOf(stored));
        case "replaceable":
          store(found.cancelled ? cancelledRow(stored, job, lease, now) : newRow(job, lease, now));
          return found.cancelled ? { kind: "over", why: "cancelled" } : { kind: "claimed", deaths: 0 };
        case "died": {
          const died = diedOnce(stored, found.deaths);
          store(lease.suspects ? takenOver(died, lease, now) : died);
          return lease.suspects ? structuredClone(claimOf(died)) : { kind: "suspect", deaths: found.deaths };
        }
        default:
          return found;
      }
    },
    async settle(job, run, outcome, now) {
      const stored = storedOf(job).get(partOf(job));
      if (stored?.row.run !== run) return "superseded";
      const { cancelledAt, split, part } = stored.row;
      if (outcome.kind !== "ended" && cancelledAt !== undefined && !split) return "cancelled";
      storedOf(job).set(part, structuredClone(settledBy(stored, outcome, job.seq, now)));
      return "written";
    },
    async withdrawal(job) {
      const stored = storedOf(job).get(MESSAGE_PART);
      return stored && withdrawalOf(stored.row, job);
    },
    async cancel(producer, id, now) {
      const parts = partsOf(producer, id);
      parts.set(MESSAGE_PART, cancelled(parts.get(MESSAGE_PART), producer, id, now));
    },
    async find(producer, id, now) {
      const parts = partsOf(producer, id);
      const rows = rowsIn(parts);
      if (isMessageUnrecorded(rows, now)) return "unrecorded";
      const named = rowsWithNames(rows, now).map(
        ({ part }) => [part, parts.get(part)?.details ?? NO_DETAILS] as const,
      );
      return fold(rows, now, new Map(named));
    },
    rowsOf: (producer, id) => rowsIn(partsOf(producer, id)),
  };
}
