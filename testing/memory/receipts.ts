import type { Claim, Lease, Outcome, Receipts } from "../../shared/ports.ts";
import type { MessageId } from "../../shared/protocol/message.ts";
import type { UserId } from "../../shared/protocol/tag.ts";
import { claimability, isCancelled } from "../../shared/receipts/claimability.ts";
import { fold, rowsWithNames } from "../../shared/receipts/fold.ts";
import type { Job } from "../../shared/receipts/job.ts";
import type { Progress } from "../../shared/receipts/receipt.ts";
import {
  type Details,
  dedupeUntil,
  MESSAGE_PART,
  NO_DETAILS,
  partOf,
  placeOf,
  progressOf,
  type ReceiptRow,
  ROW_VERSION,
} from "../../shared/receipts/row.ts";

export interface MemoryReceipts extends Receipts {
  /** All rows of one message. */
  rowsOf(producer: UserId, id: MessageId): readonly ReceiptRow[];
}

interface Stored {
  readonly row: ReceiptRow;
  readonly details: Details;
}

/** Receipt rows in a Map of Maps. */
export function memoryReceipts(): MemoryReceipts {
  const messages = new Map<string, Map<string, Stored>>();
  const partsOf = (producer: string, id: string) => {
    const key = `${producer}#${id}`;
    const parts = messages.get(key) ?? new Map<string, Stored>();
    messages.set(key, parts);
    return parts;
  };
  const storedOf = ({ message }: Job) => partsOf(message.producer, message.id);
  const rowsIn = (parts: ReadonlyMap<string, Stored>) => [...parts.values()].map(({ row }) => row);

  return {
    async claim(job, lease, now): Promise<Claim> {
      const parts = storedOf(job);
      const part = partOf(job);
      const stored = parts.get(part);
      const store = (row: ReceiptRow, details = NO_DETAILS) => void parts.set(part, { row, details });
      if (!stored) {
        store(newRow(job, lease, now));
        return { kind: "claimed", deaths: 0 };
      }
      const { row, details } = stored;
      const found = claimability(row, job, lease, now, rowsIn(parts));
      switch (found.kind) {
        case "open":
          store(takenOver(row, lease, now), details);
          return claimed(stored);
        case "replaceable":
          store({ ...newRow(job, lease, now), ...(found.cancelled ? cancelledOf(row) : {}) });
          return found.cancelled ? { kind: "over", why: "cancelled" } : { kind: "claimed", deaths: 0 };
        case "died": {
          const { deaths } = found;
          store({ ...row, deaths, leaseUntil: 0 }, details);
          if (!lease.suspects) return { kind: "suspect", deaths };
          store({ ...takenOver(row, lease, now), deaths }, details);
          return claimed({ row: { ...row, deaths }, details });
        }
        default:
          return found;
      }
    },
    async settle(job, run, outcome, now) {
      const stored = storedOf(job).get(partOf(job));
      if (stored?.row.run !== run) return "superseded";
      const { row, details } = stored;
      if (outcome.kind !== "ended" && row.cancelledAt !== undefined && !row.split) return "cancelled";
      const place = job.seq === undefined ? {} : { seq: job.seq };
      const next = { ...settled(row, outcome, now), ...place };
      const kept = "progress" in outcome ? structuredClone(detailsOf(outcome.progress)) : details;
      storedOf(job).set(row.part, { row: next, details: kept });
      return "written";
    },
    async isCancelled(job) {
      const stored = storedOf(job).get(MESSAGE_PART);
      return stored !== undefined && isCancelled(stored.row, job);
    },
    async cancel(producer, id, now) {
      const parts = partsOf(producer, id);
      const { row, details } = parts.get(MESSAGE_PART) ?? {
        row: { v: ROW_VERSION, producer, id, part: MESSAGE_PART, updatedAt: now },
        details: NO_DETAILS,
      };
      parts.set(MESSAGE_PART, { row: { ...row, cancelledAt: now }, details });
    },
    async find(producer, id, now) {
      const parts = partsOf(producer, id);
      const rows = rowsIn(parts);
      const named = rowsWithNames(rows, now).map(
        ({ part }) => [part, parts.get(part)?.details ?? NO_DETAILS] as const,
      );
      return fold(rows, now, new Map(named));
    },
    rowsOf: (producer, id) => rowsIn(partsOf(producer, id)),
  };
}

const held = ({ run, until, returnsAt, entryId, receive, onFinalReceive, after }: Lease, now: number) => ({
  run,
  leaseUntil: until,
  returnsAt,
  entryId,
  receive,
  onFinalReceive,
  updatedAt: now,
  ...(after === undefined ? {} : { after }),
});

const newRow = (job: Job, lease: Lease, now: number): ReceiptRow => ({
  v: ROW_VERSION,
  producer: job.message.producer,
  id: job.message.id,
  part: partOf(job),
  acceptanceId: job.message.acceptanceId,
  time: job.message.time,
  dedupeUntil: dedupeUntil(job.message),
  ...held(lease, now),
});

function takenOver({ ending, reason, ...row }: ReceiptRow, lease: Lease, now: number): ReceiptRow {
  const first = row.after === undefined ? {} : { after: row.after };
  return { ...row, ...(ending ? { rounds: 0, deaths: 0 } : {}), ...held(lease, now), ...first };
}

const cancelledOf = ({ cancelledAt = 0 }: ReceiptRow) => ({
  cancelledAt,
  leaseUntil: 0,
  ending: "cancelled" as const,
});

/** Copied, since a table would not hand out what it keeps either. */
function claimed({ row, details }: Stored): Claim {
  const { counts, split, ending, deaths = 0 } = row;
  const progress = { ...progressOf(row, structuredClone(details)), ...(ending ? { rounds: 0 } : {}) };
  return {
    kind: "claimed",
    ...(counts ? { progress } : {}),
    ...(split ? { split } : {}),
    deaths: ending ? 0 : deaths,
    ...placeOf(row),
  };
}

const detailsOf = ({ pending, failed }: Progress): Details => ({ pending, failed });

function settled(row: ReceiptRow, outcome: Outcome, now: number): ReceiptRow {
  const common = { ...row, updatedAt: now, deaths: 0 };
  if (outcome.kind === "split") return { ...common, split: outcome.ranges };
  if (outcome.kind === "queued") return { ...common, queued: true, leaseUntil: 0 };
  const { counts, pending, failed, from, rounds } = outcome.progress;
  const { from: _, reason: __, details: ___, ...rest } = common;
  return {
    ...rest,
    counts: { ...counts },
    pending: pending.length,
    rounds,
    leaseUntil: 0,
    ...(from === undefined ? {} : { from }),
    ...(pending.length + failed.length > 0 ? { details: row.run ?? "" } : {}),
    ...(outcome.reason === undefined ? {} : { reason: outcome.reason }),
    ...(outcome.kind === "ended" ? { ending: outcome.ending } : {}),
  };
}
