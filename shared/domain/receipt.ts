import type { HashRange } from "./hash-range.ts";
import type { Job, Message, MessageId } from "./message.ts";
import type { ConnectionId, UserId } from "./tag.ts";

/** How a message can end. Each accepted message ends in exactly one of these. */
export const ENDINGS = ["dead", "cancelled", "expired", "partial", "delivered", "no-recipients"] as const;
export type Ending = (typeof ENDINGS)[number];
export type State = Ending | "delivering" | "retrying";

/** A live connection that a message is for. `connectedAt` (milliseconds) guards deletion: ids may come back. */
export interface Recipient {
  readonly connectionId: ConnectionId;
  readonly connectedAt: number;
}

/** sent: the gateway took it. gone: there was no socket any more. failed: refused for good. */
export interface Counts {
  readonly sent: number;
  readonly gone: number;
  readonly failed: number;
}

/** What one run leaves to the next. */
export interface Progress {
  readonly counts: Counts;
  /** Connections that were busy; the next run posts to them again. */
  readonly pending: readonly Recipient[];
  /** The sort key where routing goes on. Absent: everyone has been routed. */
  readonly from?: string;
  /** Connections that failed for good, by name, as far as they fit. */
  readonly failed: readonly ConnectionId[];
}

export const NO_PROGRESS: Progress = { counts: { sent: 0, gone: 0, failed: 0 }, pending: [], failed: [] };

/** How a delivery ended that has nothing left to do. */
export function endingOf({ sent, failed }: Counts): Ending {
  if (failed > 0) return "partial";
  return sent > 0 ? "delivered" : "no-recipients";
}

/** One row of a receipt: the message's own, or a job's. Times are milliseconds since 1970. */
export interface ReceiptRow {
  readonly producer: UserId;
  readonly id: MessageId;
  /** `message`, or `job#<copy>#<from>-<to>`. */
  readonly part: string;
  /** Absent on a row that was cancelled before any run met the message. */
  readonly copy?: string;
  readonly time?: string;
  readonly dedupeUntil?: number;
  /** The run that claimed it last, until when, and on which receive. */
  readonly run?: string;
  readonly leaseUntil?: number;
  readonly receive?: number;
  /** Whether SQS gives it to no further run: one that dies on this receive leaves a dead letter. */
  readonly last?: boolean;
  readonly progress?: Progress;
  /** The ranges of the jobs that do its work. */
  readonly split?: readonly HashRange[];
  /** Whether all those jobs are in their lane. */
  readonly queued?: boolean;
  readonly ending?: Ending;
  readonly reason?: string;
  readonly cancelledAt?: number;
  /** When a run wrote it last. */
  readonly updatedAt: number;
}

export const MESSAGE_PART = "message";

export const jobPart = (copy: string, { from, to }: HashRange): string => `job#${copy}#${from}-${to}`;
export const partOf = ({ message, range }: Job): string =>
  range ? jobPart(message.copy, range) : MESSAGE_PART;

/** The first moment (milliseconds) at which a POST of the same id is a new message. */
export const dedupeUntil = ({ time, dedupeSeconds }: Message): number =>
  Date.parse(time) + dedupeSeconds * 1000;

/** What a run may do with a job whose row is already there. */
export type Standing =
  | { readonly kind: "open"; readonly progress?: Progress; readonly split?: readonly HashRange[] }
  | { readonly kind: "leased"; readonly until: number }
  | { readonly kind: "over"; readonly why: "duplicate" | "cancelled" | "ended" | "split" };

/**
 * What `run` may do. A dead letter that comes back was redriven, so `dead` is the one ending that opens again. A
 * run meets its own lease where the answer to its claim was lost. A cancel leaves a split message open until its jobs
 * are queued: some may be already, and each ends by itself.
 */
export function standing(row: ReceiptRow, { message }: Job, run: string, now: number): Standing {
  if (row.cancelledAt !== undefined && !row.split) return { kind: "over", why: "cancelled" };
  if (row.copy !== message.copy) return { kind: "over", why: "duplicate" };
  if (row.queued) return { kind: "over", why: "split" };
  if (row.ending && row.ending !== "dead") return { kind: "over", why: "ended" };
  if (!row.ending && row.run !== run && row.leaseUntil !== undefined && row.leaseUntil > now)
    return { kind: "leased", until: row.leaseUntil };
  const { progress, split } = row;
  return { kind: "open", ...(progress ? { progress } : {}), ...(split ? { split } : {}) };
}

/**
 * Whether a later POST of the same id is a new message: the window is over and the old message is settled. What the
 * jobs of a split message do is not told by its row, but by the fold of all.
 */
export const replaceable = (row: ReceiptRow, { message }: Job, now: number): boolean =>
  row.copy !== message.copy &&
  (row.dedupeUntil ?? 0) <= Date.parse(message.time) &&
  !row.split &&
  (row.ending !== undefined || (row.cancelledAt !== undefined && !isLeased(row, now)));

/** As `replaceable`, for a split message with all its rows. */
export function isReplaceableSplit(rows: readonly ReceiptRow[], job: Job, now: number): boolean {
  const own = rows.find(({ part }) => part === partOf(job));
  if (!own?.split) return false;
  const { split, ...whole } = own;
  const ending = ENDINGS.find((one) => one === fold(rows, now)?.state);
  return ending !== undefined && replaceable({ ...whole, ending }, job, now);
}

/** Whether a message must not be delivered any more, by its own row: cancelled, or followed by another of its id. */
export const isCancelled = (own: ReceiptRow, { message }: Job): boolean =>
  own.cancelledAt !== undefined || (own.copy ?? message.copy) !== message.copy;

/** What became of a message, as `GET /messages/{id}` tells it. */
export interface Receipt {
  readonly id: MessageId;
  readonly producer: UserId;
  readonly state: State;
  readonly time?: string;
  readonly counts: Counts & { readonly pending: number };
  /** Receives so far; of the jobs, the most any of them took. */
  readonly attempts: number;
  readonly jobs?: number;
  readonly reason?: string;
  /** Connections that did not get it and will not, by name, as far as they fit. */
  readonly failed?: readonly ConnectionId[];
  readonly updatedAt: string;
}

/** Folds the rows of one message into its receipt. Undefined where there is no row of the message's own. */
export function fold(rows: readonly ReceiptRow[], now: number): Receipt | undefined {
  const own = rows.find(({ part }) => part === MESSAGE_PART);
  if (!own) return undefined;
  const leaves = leavesOf(own, new Map(rows.map((row) => [row.part, row])));
  const states = leaves.map((leaf) => leafState(leaf, own, now));
  const met = leaves.flatMap(({ row }, index) => (row ? [{ row, state: states[index] }] : []));
  const sum = (pick: (p: Progress) => number) =>
    met.reduce((n, { row }) => n + pick(row.progress ?? NO_PROGRESS), 0);
  const failed = met.flatMap(({ row, state }) => unreached(row, state));
  const reason = met.map(({ row, state }) => reasonOf(row, state)).find((text) => text !== undefined);
  return {
    id: own.id,
    producer: own.producer,
    state: ORDER.find((candidate) => states.includes(candidate)) ?? "no-recipients",
    ...(own.time === undefined ? {} : { time: own.time }),
    counts: {
      sent: sum((p) => p.counts.sent),
      gone: sum((p) => p.counts.gone),
      failed: sum((p) => p.counts.failed),
      pending: sum((p) => p.pending.length),
    },
    attempts: Math.max(0, ...met.map(({ row }) => row.receive ?? 0)),
    ...(own.split ? { jobs: leaves.length } : {}),
    ...(reason === undefined ? {} : { reason }),
    ...(failed.length === 0 ? {} : { failed }),
    updatedAt: new Date(
      Math.max(own.updatedAt, own.cancelledAt ?? 0, ...met.map(({ row }) => row.updatedAt)),
    ).toISOString(),
  };
}

/** One state for all the rows: unfinished work first, then the gravest ending. */
const ORDER: readonly State[] = ["delivering", "retrying", ...ENDINGS];

/** A row that posts, or a job that no run has met yet: then `parent` is the row that was split into it. */
interface Leaf {
  readonly row?: ReceiptRow;
  readonly parent: ReceiptRow;
}

/** A split row stands for its jobs. */
function leavesOf(row: ReceiptRow, rows: ReadonlyMap<string, ReceiptRow>): Leaf[] {
  if (!row.split) return [{ row, parent: row }];
  return row.split.flatMap((range) => {
    const job = rows.get(jobPart(row.copy ?? "", range));
    return job ? leavesOf(job, rows) : [{ parent: row }];
  });
}

const isLeased = (row: ReceiptRow, now: number) => row.leaseUntil !== undefined && row.leaseUntil > now;

/**
 * A cancel ends a message at once where no run has it. The jobs of a split one end by themselves, as each meets the
 * cancel: until then none can say whether a run had begun it before. A dead letter can be cancelled too, since it
 * could be redriven.
 */
function leafState({ row, parent }: Leaf, own: ReceiptRow, now: number): State {
  if (!row) return parent.queued ? "delivering" : stateOf(parent, now);
  const ended = row.ending !== undefined && row.ending !== "dead";
  if (row === own && own.cancelledAt !== undefined && !ended && !isLeased(own, now)) return "cancelled";
  return stateOf(row, now);
}

function stateOf(row: ReceiptRow, now: number): State {
  if (row.ending) return row.ending;
  if (isLeased(row, now)) return "delivering";
  return row.last ? "dead" : "retrying";
}

const unreached = ({ progress }: ReceiptRow, state: State | undefined): readonly ConnectionId[] => {
  const { failed, pending } = progress ?? NO_PROGRESS;
  return state === "dead" ? [...failed, ...pending.map((r) => r.connectionId)] : failed;
};

/** A busy connection that was served in the end is no reason any more. */
function reasonOf(row: ReceiptRow, state: State | undefined): string | undefined {
  if (state === "delivered" || state === "no-recipients") return undefined;
  return row.reason ?? (!row.ending && state === "dead" ? "the last run did not finish" : undefined);
}
