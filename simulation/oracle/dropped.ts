import type { Job } from "../../shared/receipts/job.ts";
import { SKEW } from "../world/network.ts";
import { expected } from "./expected.ts";
import type { History } from "./history.ts";
import { partName } from "./key.ts";
import { acceptedAt, type MessageRecord } from "./message-record.ts";

/** Whether a run that was told to drop a job was told the truth. Notes that its message is dropped. */
export function isDropped(
  book: History,
  record: MessageRecord,
  { range }: Job,
  why: "duplicate" | "cancelled" | "ended" | "split",
): boolean {
  const state = record.parts.get(partName(range));
  switch (why) {
    case "ended":
      return state?.ending !== undefined && state.ending !== "dead";
    case "split":
      return state?.queued === true;
    case "cancelled":
      return isCancelled(book, record, range === undefined);
    case "duplicate":
      return isDuplicate(book, record);
  }
}

function isCancelled(book: History, record: MessageRecord, isWhole: boolean): boolean {
  const name = book.nameOf(record.producer, record.id);
  const { shown } = name;
  const cancel = shown === record ? record.cancel : (shown?.cancel ?? name.cancelled);
  if (!cancel || (shown !== record && acceptedAt(record) >= cancel.stamp)) return false;
  // The clocks of two functions may differ.
  if (record.postedAt > cancel.writtenAt + 2 * SKEW) return false;
  record.cancelAsked = true;
  if (record.jobRuns.length === 0) record.dropped = "cancelled";
  if (!shown || shown === record || !isWhole) return true;
  // Its row takes the place of an earlier message's.
  name.shown = record;
  record.cancel = cancel;
  record.parts.set("whole", { leaseUntil: 0, deaths: 0, pending: 0, queued: false, ending: "cancelled" });
  return true;
}

/** It came in the window of another, or while that was not over. */
function isDuplicate(book: History, record: MessageRecord): boolean {
  const { shown } = book.nameOf(record.producer, record.id);
  if (!shown || shown === record) return false;
  const at = acceptedAt(record);
  const stopped = shown.cancel !== undefined && shown.cancel.stamp <= at;
  const inWindow = acceptedAt(shown) + shown.dedupeSeconds * 1000 > at;
  const { state } = expected(shown, book.now() - 2 * SKEW);
  if (record.jobRuns.length === 0) record.dropped = "duplicate";
  return (inWindow && !stopped) || state === "delivering" || state === "retrying";
}
