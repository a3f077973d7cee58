import type { MessageId } from "../../shared/domain/message.ts";
import type { Receipt } from "../../shared/domain/receipt.ts";
import { fold } from "../../shared/domain/receipt-fold.ts";
import type { UserId } from "../../shared/domain/tag.ts";
import { SKEW } from "../world/network.ts";
import { isOver, type Letter, nameOf } from "./letter.ts";
import { type Notebook, shownLetter } from "./notebook.ts";

export interface ReceiptWatch {
  /** A receipt of this id may have changed. */
  touch(producer: UserId, id: MessageId): void;
  /** Looks at the receipts that were touched since the last look. */
  look(): void;
}

/** One ending per message, and a true one: rules on receipts, looked at after every step that wrote one. */
export function watchReceipts(book: Notebook): ReceiptWatch {
  const touched = new Map<string, [UserId, MessageId]>();
  const shown = new Map<string, Letter>();

  const lookAt = (key: string, producer: UserId, id: MessageId) => {
    const rows = book.rowsOf(producer, id);
    const letter = shownLetter(book, rows);
    const receipt = fold(rows, book.now());
    if (!letter || !receipt) return;
    const before = shown.get(key);
    if (before && before !== letter) replaced(book, before, letter);
    shown.set(key, letter);
    const was = isOver(letter) ? letter.receipt?.state : undefined;
    letter.receipt = receipt;
    letter.rows = rows;
    if (was !== undefined && was !== receipt.state) {
      book.violate("an ending never changes", `${nameOf(letter)} was ${was} and is ${receipt.state}`);
    } else if (was === undefined && isOver(letter)) {
      ended(book, letter, receipt);
    }
  };

  return {
    touch: (producer, id) => void touched.set(`${producer}#${id}`, [producer, id]),
    look() {
      for (const [key, [producer, id]] of touched) lookAt(key, producer, id);
      touched.clear();
    },
  };
}

/** The id shows a later POST now. */
function replaced(book: Notebook, before: Letter, letter: Letter): void {
  if (letter.postedAt < before.postedAt + before.dedupeSeconds * 1000 - 2 * SKEW) {
    book.violate("same id, same message", `${nameOf(letter)} replaced ${nameOf(before)} in its window`);
  }
  // By the clock of the run that replaced it, which may be ahead.
  const last = fold(before.rows, book.now() + 2 * SKEW);
  if (last) before.receipt = last;
  if (!isOver(before) && last?.state !== "dead") {
    book.violate("every message ends", `${nameOf(letter)} replaced ${nameOf(before)}, which had not ended`);
  }
}

function ended(book: Notebook, letter: Letter, receipt: Receipt): void {
  const { state, counts } = receipt;
  book.trace.note("receipt", nameOf(letter), () => `${state} ${JSON.stringify(counts)}`);
  if (state !== "cancelled") checkCounts(book, letter, receipt);
  if (state === "expired" && book.now() + SKEW < (letter.message?.expiresAt ?? Number.POSITIVE_INFINITY)) {
    book.violate("only what is past its deadline expires", nameOf(letter));
  }
  if (state === "cancelled" && !letter.cancelAsked) {
    book.violate("only what is cancelled ends cancelled", nameOf(letter));
  }
  if (state !== "cancelled" && state !== "expired") checkServed(book, letter, receipt);
}

/** What the receipt counts is what settled runs had for an answer. */
export function checkCounts(book: Pick<Notebook, "violate">, letter: Letter, { counts }: Receipt): void {
  const { sent, gone, failed } = letter.tally;
  if (counts.sent === sent && counts.gone === gone && counts.failed === failed) return;
  book.violate(
    "the receipt counts what happened",
    `${nameOf(letter)} says ${JSON.stringify(counts)}, its runs had ${JSON.stringify(letter.tally)}`,
  );
}

function checkServed(book: Notebook, letter: Letter, { state, counts, failed = [] }: Receipt): void {
  const named = new Set(failed);
  const missing = [...letter.audience.must].filter(
    (socket) => !letter.arrivals.has(socket) && !named.has(socket.connectionId),
  );
  // Only the first failures are named; the count tells the rest.
  if (missing.length <= counts.failed - failed.length) return;
  const ids = missing.slice(0, 5).map(({ connectionId }) => connectionId);
  book.violate(
    "everyone subscribed throughout gets it, or is named as failed",
    `${nameOf(letter)} is ${state}, but ${missing.length} got nothing: ${ids.join(", ")}`,
  );
}
