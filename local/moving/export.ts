import { type Content, writeExport } from "../../shared/moving/writer.ts";
import type { Details, ReceiptRow } from "../../shared/receipts/row.ts";
import { counts } from "../../shared/streams/life.ts";
import { ROOT } from "../../shared/streams/row.ts";
import type { StreamName, StreamRow } from "../../shared/streams/stream.ts";
import type { NewDeadLetter } from "../engine/dead-letters.ts";
import { bodyIn, headOf } from "../engine/lanes/entry-row.ts";
import { receiptIn } from "../engine/receipt-rows.ts";
import { openStopped, type StoppedStore } from "../engine/store/stopped.ts";

/** What is exported, and how to end. */
export interface Export {
  /** The text, line by line, read from the folder as it is taken. */
  readonly lines: Iterable<string>;
  /** Lets others use the folder again. */
  close(): void;
}

/**
 * Opens the data folder of a router that is stopped. What is past its time at `now` (milliseconds since 1970) is left out, but for
 * messages that wait: they still have to end. Throws a TagwireError (STORE_…) if the folder cannot be used.
 */
export function openExport(folder: string, now: number): Export {
  const store = openStopped(folder);
  const range = [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER] as const;
  const latest = (["entries", "dead-letters"] as const).map((table) => store.last(table, ...range)?.key ?? 0);
  // The same for as long as nothing changes: an import that broke off is told what it has had.
  const id = [store.committed, ...latest].join("-");
  return { lines: writeExport({ id, at: now }, contentOf(store, now)), close: store.close };
}

function* contentOf(store: StoppedStore, now: number): Generator<Content> {
  yield* streamsOf(store, now);
  for (const { value, expiresAt } of store.rows("receipts")) {
    if (expiresAt === null || expiresAt <= now) continue;
    const { row, details } = receiptIn(value);
    yield {
      kind: "receipt",
      row: released(row),
      ...(row.details ? { names: namesIn(details) } : {}),
      expiresAt,
    };
  }
  for (const { key, value, expiresAt } of store.rows("dead-letters")) {
    if (expiresAt !== null && expiresAt <= now) continue;
    yield { kind: "dead-letter", entry: String(key), ...(JSON.parse(value) as NewDeadLetter) };
  }
  for (const { key, value } of store.rows("entries")) {
    const { lane, receives, sentAt, delayedUntil } = headOf(value);
    const delay = delayedUntil > now ? { delayedUntil } : {};
    yield { kind: "waiting", entry: String(key), lane, body: bodyIn(value), receives, sentAt, ...delay };
  }
}

/** The head of each stream, and then its other rows in ascending order: whoever meets a part of it goes on at the head. */
function* streamsOf(store: StoppedStore, now: number): Generator<Content> {
  let stream: StreamName | undefined;
  let head: StreamRow | undefined;
  /** The number at which the stream started. Rows below it are of an earlier start. */
  let start = 0;
  for (const { key, value } of store.rows("streams")) {
    const row = JSON.parse(value) as StreamRow;
    const name = key.slice(0, key.indexOf(" ")) as StreamName;
    if (name !== stream) {
      stream = name;
      head = rowIn(store.last("streams", `${name} `, `${name}!`)?.value);
      start = row.seq === ROOT ? row.next : 0;
      if (head && !counts(head, now)) head = undefined;
      if (head) yield { kind: "stream", stream, row: head };
    }
    const isOfStart = row.seq === ROOT || row.seq >= start;
    if (head && row.seq !== head.seq && isOfStart && row.expiresAt > now)
      yield { kind: "stream", stream: name, row };
  }
}

const rowIn = (value: string | undefined): StreamRow | undefined =>
  value === undefined ? undefined : (JSON.parse(value) as StreamRow);

const namesIn = ({ pending, failed }: Details): Details => ({
  pending: pending.map(({ connectionId, connectedAt }) => ({ connectionId, connectedAt })),
  failed,
});

/** No run has it: that of this machine is over, and what its queue called it says nothing elsewhere. */
function released({ entryId: _, returnsAt: __, ...row }: ReceiptRow): ReceiptRow {
  return row.leaseUntil === undefined ? row : { ...row, leaseUntil: 0 };
}
