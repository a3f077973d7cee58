import type {
  Connection,
  ConnectionRow,
  OpenChange,
  TagChange,
  TokenRefresh,
} from "./connections/connection.ts";
import type { Count, Measure } from "./metric.ts";
import type { Result } from "./protocol/errors.ts";
import type { Identity } from "./protocol/grant.ts";
import type { Lane } from "./protocol/lane.ts";
import type { MessageId } from "./protocol/message.ts";
import type { ConnectionId, Tag, UserId } from "./protocol/tag.ts";
import type { Claimant, Withdrawal } from "./receipts/claimability.ts";
import type { HashRange } from "./receipts/hash-range.ts";
import type { Job } from "./receipts/job.ts";
import type { JobEnding, Progress, Receipt, Recipient } from "./receipts/receipt.ts";

export type { Connection } from "./connections/connection.ts";
export type { Count, Measure, Metric } from "./metric.ts";
export type { DeadLetter, DeadLetters, HeldDeadLetter } from "./ports/dead-letters.ts";
export type { QuotaAnswer, QuotaBeats, QuotaEntry } from "./ports/quota-beats.ts";
export type { Streams } from "./ports/streams.ts";

/*
 * The interfaces that the pipeline depends on. Every sentence here is a test in test/contract/. A port throws a
 * TagwireError if the service under it fails. All other results are return values.
 */

/**
 * What a port may return at once where the service is in the process. A caller that is called often awaits only what is a
 * promise.
 */
export type Awaitable<T> = T | Promise<T>;

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds from an arbitrary start; MUST NOT go back when the wall clock does. */
  monotonic(): number;
  /** Resolves after `milliseconds`. */
  pause(milliseconds: number): Promise<void>;
}

/** Numbers in [0, 1). */
export type Random = () => number;

export interface Entry {
  readonly job: Job;
  /** Seconds before any consumer sees it, 0-900. */
  readonly delaySeconds?: number;
}

export interface MessageQueue {
  /**
   * Sends jobs to a lane. Returns one boolean per entry, in input order: true if the queue stored it. A rejected entry
   * MUST NOT affect the others. Makes one call per ten entries, or per fewer if ten exceed the size limit of a call.
   */
  send(lane: Lane, entries: readonly Entry[]): Promise<readonly boolean[]>;
  /**
   * Hides a received entry for `seconds` (0-43,200) from now. An expired receipt handle is not an error: the lane's own
   * visibility timeout stays in force.
   */
  changeVisibility(lane: Lane, receiptHandle: string, seconds: number): Promise<void>;
  /** Sends a body that is not to be tried again to the dead-letter queue, with its reason. */
  deadLetter(lane: Lane, body: string, reason: string): Promise<void>;
  /** Returns the approximate number of entries in a lane. It includes hidden and delayed ones: in an outage all are hidden. */
  backlog(lane: Lane): Promise<number>;
}

/** A page of a list. Expired rows are read and not returned, so a page may be empty and have a `next`. */
export interface Page {
  /** In ascending order of their sort keys. */
  readonly rows: readonly IndexEntry[];
  /** The number of rows read, including expired ones. */
  readonly read: number;
  /** The sort key at which the next page starts. Absent if this is the last page of the range. */
  readonly next?: string;
}

/** One row of a tag's list. */
export interface IndexEntry extends Recipient {
  readonly key: string;
}

export interface Subscriptions {
  /**
   * Returns at most `limit` connections that have the tag, from sort key `from` (inclusive) to `to` (exclusive). MUST
   * include every `add` that has returned, and MUST NOT include rows that expired before `now`.
   */
  page(tag: Tag, query: { from: string; to: string; limit: number; now: number }): Awaitable<Page>;
  /** Returns the sort keys of those `rows` whose connections have the tag too. */
  filterHolders(tag: Tag, rows: readonly IndexEntry[], now: number): Awaitable<ReadonlySet<string>>;
  /**
   * Idempotent. `expiresAt` is in milliseconds. MUST NOT write anything after it has thrown. An UnlistedError names the
   * tags whose lists it has not written.
   */
  add(tags: readonly Tag[], holder: Recipient, expiresAt: number): Promise<void>;
  /** Idempotent; leaves a row with another connect time alone. */
  remove(tags: readonly Tag[], holder: Recipient): Promise<void>;
}

export interface Connections {
  put(connection: Connection): Promise<void>;
  /**
   * Returns undefined if the connection is unknown, or it or its token expired before `now`. MUST include every write
   * that has returned.
   */
  find(id: ConnectionId, now: number): Awaitable<Connection | undefined>;
  /** The same, but returns a row whose token has expired too. For a connection's own frames. */
  read(id: ConnectionId, now: number): Promise<ConnectionRow | undefined>;
  /**
   * Changes the tags of its row, adds the mark of the change and charges its budget, in one write. Returns the new row.
   * Returns undefined and writes nothing if the connection does not exist, if it would have more than `tagLimit` tags,
   * if its budget is not the one in `row`, or if tags are added and it may not add the topics of `row` any more.
   */
  change(row: ConnectionRow, change: TagChange): Promise<ConnectionRow | undefined>;
  /**
   * Gives its row the tags, grants and ends of another token, adds the mark and charges its budget, in one write.
   * Returns the new row. Returns undefined and writes nothing if the connection does not exist or changed since `row`.
   */
  refresh(row: ConnectionRow, refresh: TokenRefresh): Promise<ConnectionRow | undefined>;
  /** Removes a mark from its row. Returns false and writes nothing if the tags differ from those of `row`. */
  settle(row: ConnectionRow, mark: OpenChange): Promise<boolean>;
  /** Deletes the row and returns it. Returns undefined if it does not exist or has another connect time. */
  delete(
    holder: Pick<Recipient, "connectionId"> & { connectedAt?: number },
  ): Promise<ConnectionRow | undefined>;
}

/** A run's lease on a job. Two runs MUST NOT have the same job at the same time. Times are milliseconds since 1970. */
export interface Lease extends Claimant {
  readonly until: number;
  /** The end of the full visibility timeout: if the run dies, SQS does not return the message earlier. */
  readonly returnsAt: number;
  /** Whether SQS moves the job to the dead-letter queue after it. */
  readonly onFinalReceive: boolean;
  /** The number of the last message of its stream, as far as the run knows. Absent if its target keeps no stream. */
  readonly after?: number;
}

export type Claim =
  | {
      readonly kind: "claimed";
      /** The progress that earlier runs wrote. Absent if there was none. */
      readonly progress?: Progress;
      /** An earlier run split it into these ranges, and the lane did not store all their jobs. */
      readonly split?: readonly HashRange[];
      /** The number of consecutive runs that died while they had the lease. */
      readonly deaths: number;
      /** The number of the message in its stream, if an earlier run wrote it. */
      readonly seq?: number;
      /**
       * The `after` of the first lease, if no run wrote a number: an earlier run may have appended the message at a
       * higher one. Absent if no earlier run had a lease with it.
       */
      readonly after?: number;
    }
  /** Another run has the lease. */
  | { readonly kind: "leased"; readonly until: number }
  /** Runs died while they had the lease, and this claim does not take such jobs (`suspects`). */
  | { readonly kind: "suspect"; readonly deaths: number }
  | {
      readonly kind: "over";
      readonly why: "duplicate" | "cancelled" | "ended" | "split";
      /** The number of a cancelled message in its stream, if a run wrote it. */
      readonly seq?: number;
    }
  /** A newer deployment wrote its row. */
  | { readonly kind: "newer"; readonly version: number };

export type Outcome =
  | {
      readonly kind: "ended";
      readonly ending: JobEnding;
      readonly progress: Progress;
      readonly reason?: string;
    }
  | { readonly kind: "retry"; readonly progress: Progress; readonly reason?: string }
  /** Jobs for these ranges replace it. The run keeps its lease until they are `queued`. */
  | { readonly kind: "split"; readonly ranges: readonly HashRange[] }
  | { readonly kind: "queued" };

/** `written`: the row has the outcome. `cancelled`: a cancel came first. `superseded`: another run has the lease. */
export type Settled = "written" | "cancelled" | "superseded";

export interface Receipts {
  /**
   * Claims the job for one run. MUST be one conditional write if the job is new; only a conflict costs a read. A second
   * message with the same id is a duplicate within the dedupe window, and until the first has ended. An earlier run that
   * wrote no outcome, and whose message returned only after the full visibility timeout, has died. Its death MUST be
   * counted once.
   */
  claim(job: Job, lease: Lease, now: number): Awaitable<Claim>;
  /**
   * Writes the outcome of a run and the job's `seq`, sets the count of deaths to 0 and releases the lease, except for
   * a split. After a cancel an ending is still written, since it has happened; a retry or a split is not, and returns `cancelled`. After
   * a split every outcome is written.
   */
  settle(job: Job, run: string, outcome: Outcome, now: number): Awaitable<Settled>;
  /**
   * Returns `cancelled` if the message was cancelled, claimed or not, and `replaced` if a later message has its id. A
   * cancel of the later message is none of the replaced one.
   */
  withdrawal(job: Job): Awaitable<Withdrawal | undefined>;
  /** Cancels the undelivered part of a message accepted before `now`, claimed or not. MUST NOT change an ending. */
  cancel(producer: UserId, id: MessageId, now: number): Promise<void>;
  /**
   * Returns the receipt of the latest message with this id. Its size MUST be bounded for every size of audience. Returns
   * `unrecorded` if the receipt keeps failures only and the first run that claimed the message has written nothing: it
   * was delivered, or that run died. Returns undefined if no run has met it, or nothing is known of it any more.
   */
  find(producer: UserId, id: MessageId, now: number): Promise<Receipt | "unrecorded" | undefined>;
}

/** The result of one send. Expected failures are values. */
export type SendResult =
  | { readonly kind: "sent" }
  /** 410: the connection does not exist. */
  | { readonly kind: "gone" }
  /** 429: the account's quota is used up, or the buffer of this client is full. The status is the same for both. */
  | { readonly kind: "throttled"; readonly reason: string }
  /** 5xx, a timeout, a reset, 403 or 404: the gateway or the stack failed. `forbidden` is true for 403 and 404. */
  | { readonly kind: "unavailable"; readonly reason: string; readonly forbidden?: boolean }
  /** 400 or 413: the gateway never delivers this frame to this connection. */
  | { readonly kind: "refused"; readonly reason: string };

/** The result of a request to close a socket. */
export type CloseResult =
  | { readonly kind: "closed" }
  /** 410 or 400: the connection does not exist, or its `$connect` has not returned. */
  | { readonly kind: "gone" }
  | Extract<SendResult, { readonly kind: "throttled" | "unavailable" }>;

/** The state of the gateway, from a probe or from recent sends. */
export type GatewayState = "up" | "throttled" | "down";

export interface Sockets {
  /** Sends one frame once. The caller MUST NOT change its bytes afterwards. MUST return a failed send and not throw. */
  send(id: ConnectionId, frame: Uint8Array): Awaitable<SendResult>;
  /**
   * Closes a socket; frames that were sent before reach it first. Idempotent: a socket that is closed is `gone`. MUST
   * return a failure and not throw.
   */
  close(id: ConnectionId): Promise<CloseResult>;
  /**
   * Requests a connection that cannot exist (GET @connections): 410 or 400 means up, 429 throttled, any other result
   * down. MUST NOT throw.
   */
  probe(): Promise<GatewayState>;
}

export interface Tokens {
  /** Returns the identity in a valid token, or the refusal of an invalid one. */
  verify(token: string): Promise<Result<Identity>>;
}

/** Fields of a record of the log. MUST NOT contain a token or a payload. */
export type LogFields = Readonly<Record<string, unknown>>;

/** The metrics and the log of one run. */
export interface Telemetry {
  count(metric: Count, value?: number): void;
  /** Adds one measurement, in the unit of the metric. `lane` is for those that METRICS has by lane. */
  observe(metric: Measure, value: number, lane?: Lane): void;
  /** Logs an event for an operator: a stable name and its fields. */
  warn(event: string, fields: LogFields, fault?: unknown): void;
  /** Logs a step of a message or a connection. Absent if such steps are not logged: then they cost nothing. */
  readonly info?: ((event: string, fields: LogFields) => void) | undefined;
}

export interface RunTelemetry extends Telemetry {
  /** Writes what the run counted. Called at its end. */
  flush(): void;
}
