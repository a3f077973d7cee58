import type { ConnectionId } from "../protocol/tag.ts";
import { ENDINGS, type JobEnding, NAMED_FAILURES, type Receipt, type State } from "./receipt.ts";
import { type Details, jobPart, MESSAGE_PART, NO_DETAILS, type ReceiptRow } from "./row.ts";
import { rowState } from "./states.ts";

/** A row with progress of its own, or a job that no run has claimed yet. */
interface Leaf {
  readonly row?: ReceiptRow;
  readonly state: LeafState;
}

/** `replaced` has no place in the precedence: the receipt of a replaced message is not shown. */
type LeafState = State | JobEnding;

/** The precedence of states: unfinished work first, then the most severe ending. */
const ORDER: readonly State[] = ["delivering", "retrying", ...ENDINGS];

/**
 * Folds the rows of one message into its receipt; `details` by part name the connections it did not reach.
 * Undefined if there is no row of the message's own.
 */
export function fold(
  rows: readonly ReceiptRow[],
  now: number,
  details: ReadonlyMap<string, Details> = new Map(),
): Receipt | undefined {
  const leaves = leavesOf(rows, now);
  const own = rows.find(({ part }) => part === MESSAGE_PART);
  if (!own) return undefined;
  const states = new Set(leaves.map(({ state }) => state));
  const met = leaves.flatMap(({ row, state }) => (row ? [{ row, state }] : []));
  const sum = (pick: (row: ReceiptRow) => number) => met.reduce((total, { row }) => total + pick(row), 0);
  const failed = met
    .flatMap(({ row, state }) => unreached(state, details.get(row.part) ?? NO_DETAILS))
    .slice(0, NAMED_FAILURES);
  const reason = met.map(({ row, state }) => reasonOf(row, state)).find((text) => text !== undefined);
  const cancelledAt = states.has("cancelled") ? (own.cancelledAt ?? 0) : 0;
  const times = [own.updatedAt, cancelledAt, ...met.map(({ row }) => row.updatedAt)];
  return {
    id: own.id,
    producer: own.producer,
    state: ORDER.find((candidate) => states.has(candidate)) ?? "no-recipients",
    ...(own.time === undefined ? {} : { time: own.time }),
    counts: {
      sent: sum(({ counts }) => counts?.sent ?? 0),
      gone: sum(({ counts }) => counts?.gone ?? 0),
      failed: sum(({ counts }) => counts?.failed ?? 0),
      pending: sum(({ pending }) => pending ?? 0),
    },
    attempts: met.reduce((most, { row }) => Math.max(most, row.receive ?? 0), 0),
    ...(own.split ? { jobs: leaves.length } : {}),
    ...(reason === undefined ? {} : { reason }),
    ...(failed.length === 0 ? {} : { failed }),
    updatedAt: new Date(times.reduce((latest, time) => Math.max(latest, time))).toISOString(),
  };
}

/** The rows whose details name connections that will not be reached, as many as a receipt has room for. */
export function rowsWithNames(rows: readonly ReceiptRow[], now: number): readonly ReceiptRow[] {
  const chosen: ReceiptRow[] = [];
  if (!rows.some(({ details }) => details)) return chosen;
  let names = 0;
  for (const { row, state } of leavesOf(rows, now)) {
    if (names >= NAMED_FAILURES) break;
    const lost = row ? (row.counts?.failed ?? 0) + (state === "dead" ? (row.pending ?? 0) : 0) : 0;
    if (!row?.details || lost === 0) continue;
    chosen.push(row);
    names += lost;
  }
  return chosen;
}

/** Returns the rows with progress of their own: a split row is replaced by its jobs. */
function leavesOf(rows: readonly ReceiptRow[], now: number): readonly Leaf[] {
  const byPart = new Map<string, ReceiptRow>();
  for (const row of rows) byPart.set(row.part, row);
  const own = byPart.get(MESSAGE_PART);
  const leaves: Leaf[] = [];
  const add = (row: ReceiptRow): void => {
    if (!row.split) {
      leaves.push({ row, state: stateOf(row, row === own, now) });
      return;
    }
    for (const range of row.split) {
      const job = byPart.get(jobPart(row.acceptanceId ?? "", range));
      if (job) add(job);
      else leaves.push({ state: row.queued ? "delivering" : stateOf(row, false, now) });
    }
  };
  if (own) add(own);
  return leaves;
}

/**
 * A cancel ends a message at once if no run has it. The jobs of a split one end by themselves, as each meets the
 * cancel: until then none can say whether a run had begun it before. A dead letter can be cancelled too, since it
 * could be redriven.
 */
function stateOf(row: ReceiptRow, isWhole: boolean, now: number): LeafState {
  const state = rowState(row, now);
  if (isWhole && row.cancelledAt !== undefined && state !== "ended" && state !== "leased") return "cancelled";
  if (state === "leased") return "delivering";
  return row.ending ?? (row.onFinalReceive ? "dead" : "retrying");
}

const unreached = (state: LeafState, { failed, pending }: Details): readonly ConnectionId[] =>
  state === "dead" ? [...failed, ...pending.map(({ connectionId }) => connectionId)] : failed;

/** A message that was delivered in the end has no reason. */
function reasonOf(row: ReceiptRow, state: LeafState): string | undefined {
  if (state === "delivered" || state === "no-recipients") return undefined;
  return row.reason ?? (!row.ending && state === "dead" ? FINAL : undefined);
}

const FINAL = "SQS moved it to the dead-letter queue after its last receive; no run could write why";
