import type { MessageId } from "../../shared/protocol/message.ts";
import type { UserId } from "../../shared/protocol/tag.ts";
import { type Details, MESSAGE_PART, NO_DETAILS, type ReceiptRow } from "../../shared/receipts/row.ts";
import type { KeptRow } from "./receipt-change.ts";
import type { Change, Store } from "./store/store.ts";

/**
 * The rows of receipts in the store. Each has three lines: the process whose run has the lease, the row, and the names
 * that the row counts.
 */
export interface ReceiptRows {
  /** `receive` is that of the run that claims it. */
  get(key: string, receive?: number): KeptRow | undefined;
  /** Returns all rows of a message. */
  all(producer: UserId, id: MessageId): readonly KeptRow[];
  /** Returns all rows of a message once they are on the disk. One that is only held is written. */
  onDisk(producer: UserId, id: MessageId, now: number): Promise<readonly KeptRow[]>;
  /** Resolves once the row is on the disk. */
  put(key: string, row: KeptRow, now: number): Promise<void>;
  putLater(key: string, row: KeptRow, now: number): void;
  /** Keeps a row in memory until it is written with an outcome. Another process does not find it. */
  hold(key: string, row: KeptRow): void;
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

/** All rows of a message: as many as it was split into, which is bounded. */
const rowsOf = (producer: UserId, id: MessageId) => ({
  from: `${id} ${producer} `,
  to: `${id} ${producer}!`,
  limit: 1_000_000_000,
});

/** Sorts after every key that begins with a hexadecimal digit. */
const HEXADECIMAL_END = "g";

export function receiptRows({ store, days, process }: ReceiptRowsOptions): ReceiptRows {
  /** Rows that runs of this process have a lease on, in the store or not. */
  const leased = new Map<string, KeptRow>();
  /**
   * The last key of those that begin with a hexadecimal digit, as the ids do that a router makes: they grow, so that most
   * claims are of a key above it, which has no row.
   */
  let last =
    store.range("receipts", { from: "", to: HEXADECIMAL_END, limit: 1, isReversed: true })[0]?.key ?? "";
  const isNew = (key: string) => key > last && key < HEXADECIMAL_END;

  const changeOf = (key: string, { row, details }: KeptRow, now: number): Change<"receipts"> => {
    const holder = row.leaseUntil ? process : "";
    const names = details.pending.length + details.failed.length > 0 ? JSON.stringify(details) : "";
    const value = `${holder}\n${JSON.stringify(row)}\n${names}`;
    return { table: "receipts", key, value, expiresAt: now + days * 86_400_000 };
  };
  const remember = (key: string, kept: KeptRow) => {
    if (isNew(key)) last = key;
    if (kept.row.leaseUntil) leased.set(key, kept);
    else leased.delete(key);
  };
  const parse = (value: string, receive?: number): KeptRow => receiptIn(value, process, receive);

  return {
    get(key, receive) {
      const known = leased.get(key);
      if (known || isNew(key)) return known;
      const value = store.get("receipts", key);
      return value === undefined ? undefined : parse(value, receive);
    },
    all: (producer, id) => store.range("receipts", rowsOf(producer, id)).map(({ value }) => parse(value)),
    async onDisk(producer, id, now) {
      const own = receiptKey(producer, id, MESSAGE_PART);
      const held = leased.get(own);
      if (held && store.get("receipts", own) === undefined) store.writeLater([changeOf(own, held, now)]);
      const rows = await store.rangeOnDisk("receipts", rowsOf(producer, id));
      return rows.map(({ value }) => parse(value));
    },
    async put(key, kept, now) {
      const before = leased.get(key);
      remember(key, kept);
      try {
        await store.write([changeOf(key, kept, now)]);
      } catch (fault) {
        if (leased.get(key) === kept) {
          leased.delete(key);
          if (before !== undefined) leased.set(key, before);
        }
        throw fault;
      }
    },
    hold: remember,
    putLater(key, kept, now) {
      remember(key, kept);
      store.writeLater([changeOf(key, kept, now)]);
    },
  };
}

/** Reads the value of a row. If it names a process, the leases of all others are over. */
export function receiptIn(value: string, process?: string, receive?: number): KeptRow {
  const [second, third] = [value.indexOf("\n") + 1, value.lastIndexOf("\n") + 1];
  const row = JSON.parse(value.slice(second, third)) as ReceiptRow;
  const isHeldBefore = process !== undefined && second > 1 && value.slice(0, second - 1) !== process;
  return {
    row: isHeldBefore ? abandoned(row, receive) : row,
    get details() {
      return third === value.length ? NO_DETAILS : (JSON.parse(value.slice(third)) as Details);
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
