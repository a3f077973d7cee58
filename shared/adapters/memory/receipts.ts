import { DEFAULT_DEDUPE_SECONDS } from "../../domain/limits.ts";
import type { Job, MessageId } from "../../domain/message.ts";
import {
  dedupeUntil,
  fold,
  isCancelled,
  isReplaceableSplit,
  MESSAGE_PART,
  partOf,
  type ReceiptRow,
  replaceable,
  standing,
} from "../../domain/receipt.ts";
import type { UserId } from "../../domain/tag.ts";
import type { Claim, Outcome, Receipts } from "../../ports.ts";

export interface MemoryReceipts extends Receipts {
  /** All rows of one message. */
  rowsOf(producer: UserId, id: MessageId): readonly ReceiptRow[];
}

/** Receipt rows in a Map of Maps. */
export function memoryReceipts(): MemoryReceipts {
  const messages = new Map<string, Map<string, ReceiptRow>>();
  const partsOf = (producer: string, id: string) => {
    const key = `${producer}#${id}`;
    const parts = messages.get(key) ?? new Map<string, ReceiptRow>();
    messages.set(key, parts);
    return parts;
  };
  const rowsOf = ({ message }: Job) => partsOf(message.producer, message.id);

  return {
    async claim(job, lease, now): Promise<Claim> {
      const row = rowsOf(job).get(partOf(job));
      const hold = {
        run: lease.run,
        leaseUntil: lease.until,
        receive: lease.receive,
        last: lease.last,
        updatedAt: now,
      };
      const rows = [...rowsOf(job).values()];
      if (!row || replaceable(row, job, now) || isReplaceableSplit(rows, job, now)) {
        const { message } = job;
        rowsOf(job).set(partOf(job), {
          producer: message.producer,
          id: message.id,
          part: partOf(job),
          copy: message.copy,
          time: message.time,
          dedupeUntil: dedupeUntil(message),
          ...hold,
        });
        return { kind: "claimed" };
      }
      const found = standing(row, job, lease.run, now);
      if (found.kind !== "open") return found;
      const { ending, reason, ...open } = row;
      rowsOf(job).set(row.part, { ...open, ...hold });
      return { ...structuredClone(found), kind: "claimed" };
    },
    async settle(job, run, outcome, now) {
      const row = rowsOf(job).get(partOf(job));
      if (row?.run !== run) return "superseded";
      if (outcome.kind !== "ended" && row.cancelledAt !== undefined && !row.split) return "cancelled";
      rowsOf(job).set(row.part, { ...row, updatedAt: now, ...written(outcome) });
      return "written";
    },
    async isCancelled(job) {
      const row = rowsOf(job).get(MESSAGE_PART);
      return row !== undefined && isCancelled(row, job);
    },
    async cancel(producer, id, now) {
      const parts = partsOf(producer, id);
      const row = parts.get(MESSAGE_PART) ?? { producer, id, part: MESSAGE_PART, updatedAt: now };
      if (row.ending !== undefined && row.ending !== "dead") return;
      const window = { dedupeUntil: now + DEFAULT_DEDUPE_SECONDS * 1000 };
      parts.set(MESSAGE_PART, { ...window, ...row, cancelledAt: row.cancelledAt ?? now });
    },
    async find(producer, id, now) {
      return fold(structuredClone([...partsOf(producer, id).values()]), now);
    },
    rowsOf: (producer, id) => [...partsOf(producer, id).values()],
  };
}

/** Copied through JSON because a real table would: later changes of the caller must not show here. */
const written = (outcome: Outcome): Partial<ReceiptRow> => JSON.parse(JSON.stringify(fields(outcome)));

function fields(outcome: Outcome): Partial<ReceiptRow> {
  if (outcome.kind === "split") return { split: outcome.ranges };
  if (outcome.kind === "queued") return { queued: true, leaseUntil: 0 };
  const { progress, reason } = outcome;
  return {
    progress,
    ...(reason === undefined ? {} : { reason }),
    ...(outcome.kind === "ended" ? { ending: outcome.ending } : {}),
    ...(outcome.kind === "retry" && outcome.requeued ? { last: false } : {}),
    leaseUntil: 0,
  };
}
