import type { MessageId } from "../../shared/protocol/message.ts";
import type { UserId } from "../../shared/protocol/tag.ts";
import type { Receipt } from "../../shared/receipts/receipt.ts";
import { SKEW } from "../world/network.ts";
import { expected } from "./expected.ts";
import type { History } from "./history.ts";
import { isOver, type MessageRecord, nameOf } from "./message-record.ts";

export interface ReceiptWatch {
  /** A receipt of this id may have changed. */
  touch(producer: UserId, id: MessageId): void;
  /** Looks at the receipts that were touched since the last look. */
  look(): Promise<void> | undefined;
}

/** One ending per message, and a true one: rules on receipts, looked at after every step that wrote one. */
export function watchReceipts(book: History): ReceiptWatch {
  const touched = new Map<string, [UserId, MessageId]>();
  const lookAtAll = async () => {
    const all = [...touched.values()];
    touched.clear();
    for (const [producer, id] of all) await lookAt(book, producer, id);
  };
  return {
    touch: (producer, id) => void touched.set(`${producer} ${id}`, [producer, id]),
    look: () => (touched.size > 0 ? lookAtAll() : undefined),
  };
}

/** Looks at the receipt that an id shows now. */
export async function lookAt(book: History, producer: UserId, id: MessageId): Promise<void> {
  const receipt = await book.find(producer, id, book.now());
  // Every message of the simulation has an id of its own.
  if (receipt === "unrecorded")
    return book.violate("a receipt of a message with an id is kept", `${id} of ${producer}`);
  const { shown: record, cancelled } = book.nameOf(producer, id);
  if (!record) {
    if (receipt && !(cancelled && receipt.state === "cancelled")) {
      book.violate("a receipt is of a message that a run has met", `${id} is ${receipt.state}`);
    }
    return;
  }
  if (!receipt || receipt.time !== record.message?.time) {
    const what = `${nameOf(record)}, but the receipt is of ${receipt?.time}`;
    return book.violate("an id shows the message that a run took last", what);
  }
  const was = isOver(record) ? record.receipt?.state : undefined;
  record.receipt = receipt;
  const { state, pending, reason } = expected(record, book.now());
  if (receipt.state !== state || (state !== "cancelled" && receipt.counts.pending !== pending)) {
    const says = `${receipt.state} with ${receipt.counts.pending} pending`;
    book.violate(
      "the receipt says what happened",
      `${nameOf(record)}: ${says}, not ${state} with ${pending}`,
    );
  }
  if (receipt.reason !== reason) {
    book.violate("a reason is that of the last run", `${nameOf(record)}: ${receipt.reason}, not ${reason}`);
  }
  if (was !== undefined && was !== receipt.state) {
    book.violate("an ending never changes", `${nameOf(record)} was ${was} and is ${receipt.state}`);
  } else if (was === undefined && isOver(record)) {
    ended(book, record, receipt);
  }
}

function ended(book: History, record: MessageRecord, receipt: Receipt): void {
  const { state, counts } = receipt;
  record.endedAt = book.now();
  book.trace.note("receipt", nameOf(record), () => `${state} ${JSON.stringify(counts)}`);
  if (state !== "cancelled") checkCounts(book, record, receipt);
  if (state === "expired" && book.now() + SKEW < (record.message?.expiresAt ?? Number.POSITIVE_INFINITY)) {
    book.violate("only what is past its deadline expires", nameOf(record));
  }
  if (state === "cancelled" && !record.cancelAsked) {
    book.violate("only what is cancelled ends cancelled", nameOf(record));
  }
  if (state !== "cancelled" && state !== "expired") checkServed(book, record, receipt);
}

/** What the receipt counts is what settled runs had for an answer. */
export function checkCounts(
  book: Pick<History, "violate">,
  record: MessageRecord,
  { counts }: Receipt,
): void {
  const { sent, gone, failed } = record.tally;
  if (counts.sent === sent && counts.gone === gone && counts.failed === failed) return;
  book.violate(
    "the receipt counts what happened",
    `${nameOf(record)} says ${JSON.stringify(counts)}, its runs had ${JSON.stringify(record.tally)}`,
  );
}

function checkServed(book: History, record: MessageRecord, { state, counts, failed = [] }: Receipt): void {
  const named = new Set(failed);
  const missing = [...record.audience.must].filter(
    (socket) => !record.arrivals.has(socket) && !named.has(socket.connectionId),
  );
  // Only the first failures are named; the count tells the rest.
  if (missing.length <= counts.failed - failed.length) return;
  const ids = missing.slice(0, 5).map(({ connectionId }) => connectionId);
  book.violate(
    "everyone subscribed throughout gets it, or is named as failed",
    `${nameOf(record)} is ${state}, but ${missing.length} got nothing: ${ids.join(", ")}`,
  );
}
