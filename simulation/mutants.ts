import { AROUND } from "./mutants/around.ts";
import { INDEX_TABLES } from "./mutants/index-tables.ts";
import { RECEIPT_TABLES } from "./mutants/receipt-tables.ts";
import { RUNS } from "./mutants/runs.ts";
import { SENDS } from "./mutants/sends.ts";
import { STREAM_ROWS } from "./mutants/stream-rows.ts";
import { STREAMS } from "./mutants/streams.ts";

/** Bugs that are planted one by one, and that a rule has to find. */
export const MUTANTS = {
  ...AROUND,
  ...INDEX_TABLES,
  ...RECEIPT_TABLES,
  ...RUNS,
  ...SENDS,
  ...STREAMS,
  ...STREAM_ROWS,
} as const;
