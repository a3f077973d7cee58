import type { Details, ReceiptRow } from "../receipts/row.ts";

/** Puts receipts of another router in their place, and remembers how far that has come. */
export interface ReceiptImport {
  /**
   * Writes a row and the names that it counts, to be kept until `expiresAt` (milliseconds since 1970). Returns false, and
   * changes no row, if the message has this row already.
   */
  restore(row: ReceiptRow, details: Details, expiresAt: number): Promise<boolean>;
  /** Returns what was last remembered under a name. */
  remembered(name: string): Promise<string | undefined>;
  /** Remembers a text under a name for `days`. MUST NOT be a part of any receipt. */
  remember(name: string, text: string, now: number, days: number): Promise<void>;
}
