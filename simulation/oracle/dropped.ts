import type { Job } from "../../shared/receipts/job.ts";
import { SKEW } from "../world/network.ts";
import { expected } from "./expected.ts";
import type { Notebook } from "./history.ts";
import { partName } from "./key.ts";
import { acceptedAt, type Letter } from "./message-record.ts";

/** Whether a run that was told to drop a job was told the truth. Notes that its message is dropped. */
export function isDropped(
  book: Notebook,
  letter: Letter,
  { range }: Job,
  why: "duplicate" | "cancelled" | "ended" | "split",
): boolean {
  const state = letter.parts.get(partName(range));
  switch (why) {
    case "ended":
      return state?.ending !== undefined && state.ending !== "dead";
    case "split":
      return state?.queued === true;
    case "cancelled":
      return isCancelled(book, letter, range === undefined);
    case "duplicate":
      return isDuplicate(book, letter);
  }
}

function isCancelled(book: Notebook, letter: Letter, isWhole: boolean): boolean {
  const name = book.nameOf(letter.producer, letter.id);
  const { shown } = name;
  const cancel = shown === letter ? letter.cancel : (shown?.cancel ?? name.cancelled);
  if (!cancel || (shown !== letter && acceptedAt(letter) >= cancel.stamp)) return false;
  // The clocks of two functions may differ.
  if (letter.postedAt > cancel.writtenAt + 2 * SKEW) return false;
  letter.cancelAsked = true;
  if (letter.servings.length === 0) letter.dropped = "cancelled";
  if (!shown || shown === letter || !isWhole) return true;
  // Its row takes the place of an earlier message's.
  name.shown = letter;
  letter.cancel = cancel;
  letter.parts.set("whole", { leaseUntil: 0, deaths: 0, pending: 0, queued: false, ending: "cancelled" });
  return true;
}

/** It came in the window of another, or while that was not over. */
function isDuplicate(book: Notebook, letter: Letter): boolean {
  const { shown } = book.nameOf(letter.producer, letter.id);
  if (!shown || shown === letter) return false;
  const at = acceptedAt(letter);
  const stopped = shown.cancel !== undefined && shown.cancel.stamp <= at;
  const inWindow = acceptedAt(shown) + shown.dedupeSeconds * 1000 > at;
  const { state } = expected(shown, book.now() - 2 * SKEW);
  if (letter.servings.length === 0) letter.dropped = "duplicate";
  return (inWindow && !stopped) || state === "delivering" || state === "retrying";
}
