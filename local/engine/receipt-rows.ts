import type { MessageId } from "../../shared/protocol/message.ts";
import type { UserId } from "../../shared/protocol/tag.ts";
import { type Details, NO_DETAILS, type ReceiptRow } from "../../shared/receipts/row.ts";
import type { KeptRow } from "./receipt-change.ts";
import type { Change, Store } from "./store/store.ts";

/** A row as it is stored, with the process that wrote it. */
interface StoredRow extends ReceiptRow {
  readonly process?: string;
}

/** The rows of receipts in the store: a line of JSON, and one more for the names that the row counts. */
export interface ReceiptRows {
  /** `receive` is that of the run that claims it. */
  get(key: string, receive?: number): KeptRow | undefined;
  /** Returns all rows of a message. */
  all(producer: UserId, id: MessageId): readonly KeptRow[];
  /** Resolves once the row is on the disk. */
  put(key: string, row: KeptRow, now: number): Promise<void>;
  putLater(key: string, row: KeptRow, now: number): void;
}

export interface ReceiptRowsOptions {
  readonly store: Store;
  /** Days a row is kept. */
  readonly days: number;
  /** A name of this process. Leases of others are over. */
  readonly process: string;
}

/** Neither ids nor users hold a space, and ids of the router grow: new rows are at the end of the table. */
export const receiptKey = (producer: UserId, id: MessageId, part: string): string =>
  `${id} ${producer} ${part}`;

const PAGE = 1_000;

export function receiptRows({ store, days, process }: ReceiptRowsOptions): ReceiptRows {
  /** Rows that runs of this process have a lease on, as they are in the store. */
  const leased = new Map<string, KeptRow>();

  const changeOf = (key: string, { row, details }: KeptRow, now: number): Change<"receipts"> => {
    const names = details.pending.length + details.failed.length > 0 ? `\n${JSON.stringify(details)}` : "";
    const value = `${JSON.stringify({ ...row, process })}${names}`;
    return { table: "receipts", key, value, expiresAt: now + days * 86_400_000 };
  };
  const remember = (key: string, kept: KeptRow) => {
    if (kept.row.leaseUntil) leased.set(key, kept);
    else leased.delete(key);
  };
  const parse = (value: string, receive?: number): KeptRow => {
    const end = value.indexOf("\n");
    const stored = JSON.parse(end < 0 ? value : value.slice(0, end)) as StoredRow;
    const { process: writer, ...row } = stored;
    return {
      row: writer === process || !row.leaseUntil ? row : abandoned(row, receive),
      get details() {
        return end < 0 ? NO_DETAILS : (JSON.parse(value.slice(end + 1)) as Details);
      },
    };
  };

  return {
    get(key, receive) {
      const known = leased.get(key);
      if (known) return known;
      const value = store.get("receipts", key);
      return value === undefined ? undefined : parse(value, receive);
    },
    all(producer, id) {
      const rows: KeptRow[] = [];
      const to = `${id} ${producer}!`;
      for (let from = `${id} ${producer} `; ; ) {
        const page = store.range("receipts", { from, to, limit: PAGE });
        rows.push(...page.map(({ value }) => parse(value)));
        const last = page.at(-1);
        if (last === undefined || page.length < PAGE) return rows;
        from = `${last.key} `;
      }
    },
    async put(key, kept, now) {
      remember(key, kept);
      try {
        await store.write([changeOf(key, kept, now)]);
      } catch (fault) {
        leased.delete(key);
        throw fault;
      }
    },
    putLater(key, kept, now) {
      remember(key, kept);
      store.writeLater([changeOf(key, kept, now)]);
    },
  };
}

/**
 * The row of a run whose process ended before it wrote an outcome. Its lease is over, and a claim counts its death: but
 * not on a first receive, or whatever was under way when a machine lost its power would be suspect of it.
 */
function abandoned({ returnsAt: _, ...row }: ReceiptRow, receive = 0): ReceiptRow {
  const died = (row.receive ?? 0) > 1 ? { returnsAt: 0, receive: receive - 1 } : {};
  return { ...row, leaseUntil: LAPSED, ...died };
}

/** The end of a lease that is over. */
const LAPSED = 1;
