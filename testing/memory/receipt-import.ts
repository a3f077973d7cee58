import type { ReceiptImport } from "../../shared/ports/receipt-import.ts";
import type { Details, ReceiptRow } from "../../shared/receipts/row.ts";

export interface MemoryReceiptImport extends ReceiptImport {
  readonly rows: ReadonlyMap<string, { readonly row: ReceiptRow; readonly details: Details }>;
}

/** Rows of receipts, and notes, in Maps. */
export function memoryReceiptImport(): MemoryReceiptImport {
  const rows = new Map<string, { row: ReceiptRow; details: Details }>();
  const notes = new Map<string, string>();
  return {
    rows,
    async restore(row, details) {
      const key = JSON.stringify([row.producer, row.id, row.part]);
      if (rows.has(key)) return false;
      rows.set(key, structuredClone({ row, details }));
      return true;
    },
    remembered: async (name) => notes.get(name),
    async remember(name, text) {
      notes.set(name, text);
    },
  };
}
