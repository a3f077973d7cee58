import type { JobEnding, State } from "../../shared/receipts/receipt.ts";
import { partName } from "./key.ts";
import type { MessageRecord } from "./message-record.ts";
import type { PartState, Range } from "./part.ts";

/** What a receipt has to say. */
export interface Expected {
  readonly state: State;
  readonly pending: number;
  readonly reason: string | undefined;
}

/** Unfinished work first, then the gravest ending (docs/guarantees.md). */
const GRAVEST: readonly State[] = [
  "delivering",
  "retrying",
  "dead",
  "cancelled",
  "expired",
  "partial",
  "delivered",
  "no-recipients",
];

/** What the receipt of a message has to say at a time, told from what its runs wrote. */
export function expected(record: MessageRecord, now: number): Expected {
  const states: (State | JobEnding)[] = [];
  let pending = 0;
  let reason: string | undefined;
  const visit = (range: Range | undefined) => {
    const part = record.parts.get(partName(range));
    if (!part) return;
    if (!part.split) {
      const state = stateOf(record, part, range, now);
      states.push(state);
      // A busy connection that was served in the end is no reason any more.
      if (state !== "delivered" && state !== "no-recipients") reason ??= part.reason;
      pending += part.pending;
      return;
    }
    for (const job of part.split) {
      if (record.parts.has(partName(job))) visit(job);
      else states.push(part.queued ? "delivering" : held(part, now));
    }
  };
  visit(undefined);
  return { state: GRAVEST.find((state) => states.includes(state)) ?? "no-recipients", pending, reason };
}

const held = ({ leaseUntil }: PartState, now: number): State =>
  leaseUntil > now ? "delivering" : "retrying";

function stateOf(
  { cancel }: MessageRecord,
  part: PartState,
  range: Range | undefined,
  now: number,
): State | JobEnding {
  const { ending } = part;
  if (ending !== undefined && ending !== "dead") return ending;
  const busy = ending === undefined && part.leaseUntil > now;
  // A cancel ends a message that no run has; its jobs meet the cancel one by one.
  if (!range && cancel && !busy) return "cancelled";
  return ending ?? held(part, now);
}
