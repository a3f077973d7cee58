import type { Connection, ConnectionRow, OpenChange, TagChange } from "./connections/connection.ts";
import type { Result } from "./protocol/errors.ts";
import type { Identity } from "./protocol/grant.ts";
import type { Lane } from "./protocol/lane.ts";
import type { MessageId } from "./protocol/message.ts";
import type { ConnectionId, Tag, UserId } from "./protocol/tag.ts";
import type { Claimant } from "./receipts/claimability.ts";
import type { HashRange } from "./receipts/hash-range.ts";
import type { Job } from "./receipts/job.ts";
import type { Ending, Progress, Receipt, Recipient } from "./receipts/receipt.ts";

export type { Connection } from "./connections/connection.ts";

/*
 * What the pipeline asks of the world. Every sentence here is a test in test/contract/.
 * A port throws a TagwireError when what it stands on fails; all other endings are values.
 */

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds from an arbitrary start; MUST NOT go back when the wall clock does. */
  monotonic(): number;
  /** Resolves after so many milliseconds. */
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
   * Puts jobs into a lane. Answers for each, in order, whether the queue has it durably; an entry that the
   * queue refuses does not touch its neighbours. One call per ten entries, fewer where their bytes do not fit.
   */
  send(lane: Lane, entries: readonly Entry[]): Promise<readonly boolean[]>;
  /**
   * Hides a received entry for so many seconds from now, 0-43,200. A receipt handle that is not valid any more
   * is no error: the lane's own visibility timeout stands.
   */
  changeVisibility(lane: Lane, receiptHandle: string, seconds: number): Promise<void>;
  /** Puts a body that will not be tried again into the dead-letter queue, with its reason. */
  deadLetter(lane: Lane, body: string, reason: string): Promise<void>;
  /** Roughly how many entries a lane holds, hidden and delayed ones included: in an outage all of them are hidden. */
  backlog(lane: Lane): Promise<number>;
}

/** A dead letter as it was received: hidden from everyone else until the hold is over. */
export interface DeadLetter {
  /** What the queue calls it; the same on every receive. */
  readonly entryId: string;
  readonly receiptHandle: string;
  readonly body: string;
  /** Absent where the queue moved it here by itself. */
  readonly reason?: string;
  readonly lane?: Lane;
  /** When it was sent to the queue it was first in, in milliseconds since 1970. */
  readonly sentAt: number;
}

export interface DeadLetters {
  /** At most so many, 1-10, hidden for so many seconds. Empty where none can be seen. May repeat itself. */
  receive(most: number, holdSeconds: number): Promise<readonly DeadLetter[]>;
  /** Lets everyone see them again at once. One that is not held any more is no error. */
  release(deadLetters: readonly DeadLetter[]): Promise<void>;
  /** Puts bodies into a lane as they are. Answers for each, in order, whether the lane has it durably. */
  forward(
    lane: Lane,
    entries: readonly { readonly body: string; readonly producer: UserId }[],
  ): Promise<readonly boolean[]>;
  /** Deletes them for good. Answers for each, in order, whether it is gone. */
  remove(deadLetters: readonly DeadLetter[]): Promise<readonly boolean[]>;
  /** Roughly how many can be seen. */
  size(): Promise<number>;
}

/** A part of a list. It may hold no rows and a `next`: rows that have expired are read and not shown. */
export interface Page {
  /** In ascending order of their sort key. May be empty although there is a `next`. */
  readonly rows: readonly IndexEntry[];
  /** How many rows were read, expired ones included. */
  readonly read: number;
  /** The sort key where the next page starts. Absent: the range holds no more. */
  readonly next?: string;
}

/** One row of a tag's list. */
export interface IndexEntry extends Recipient {
  readonly key: string;
}

export interface Subscriptions {
  /**
   * The connections that hold the tag, from sort key `from` (inclusive) up to `to` (exclusive), at most `limit`.
   * Sees every `add` that has returned. Never shows rows that expired before `now`, deleted or not.
   */
  page(tag: Tag, query: { from: string; to: string; limit: number; now: number }): Promise<Page>;
  /** Which of these rows' connections hold the tag too, by sort key. */
  filterHolders(tag: Tag, rows: readonly IndexEntry[], now: number): Promise<ReadonlySet<string>>;
  /** Idempotent. `expiresAt` is in milliseconds. MUST NOT write anything after it has thrown. */
  add(tags: readonly Tag[], holder: Recipient, expiresAt: number): Promise<void>;
  /** Idempotent; leaves a row with another connect time alone. */
  remove(tags: readonly Tag[], holder: Recipient): Promise<void>;
}

export interface Connections {
  put(connection: Connection): Promise<void>;
  /** Undefined if it is unknown, or it or its token expired before `now`. Sees every write that has returned. */
  find(id: ConnectionId, now: number): Promise<Connection | undefined>;
  /** The same for a connection's own frames: a row whose token has expired is returned too. */
  read(id: ConnectionId, now: number): Promise<ConnectionRow | undefined>;
  /**
   * Changes the tags of its row, marks the change on it and charges its budget, in one write. Returns the row as it is
   * then. Undefined, and nothing is written, if the connection is not there any more, if it would hold more than
   * `tagLimit` tags, or if its budget is not what `row` said.
   */
  change(row: ConnectionRow, change: TagChange): Promise<ConnectionRow | undefined>;
  /** Takes a mark off its row. False, and nothing is written, if its tags are not those of `row` any more. */
  settle(row: ConnectionRow, mark: OpenChange): Promise<boolean>;
  /** Deletes the row and returns it. Undefined where it is gone already, or has another connect time. */
  delete(
    holder: Pick<Recipient, "connectionId"> & { connectedAt?: number },
  ): Promise<ConnectionRow | undefined>;
}

/** One run's hold on a job. No two runs hold the same job at the same time. Times are milliseconds since 1970. */
export interface Lease extends Claimant {
  readonly until: number;
  /** The earliest moment at which SQS shows the message again if the run dies: its full visibility timeout. */
  readonly returnsAt: number;
  /** Whether SQS moves the job to the dead-letter queue after it. */
  readonly onFinalReceive: boolean;
}

export type Claim =
  | {
      readonly kind: "claimed";
      /** What earlier runs left. Absent: there was none. */
      readonly progress?: Progress;
      /** An earlier run split it into these ranges, and did not get all their jobs into the lane. */
      readonly split?: readonly HashRange[];
      /** Runs that died in a row while they held it. */
      readonly deaths: number;
    }
  /** Another run holds it. */
  | { readonly kind: "leased"; readonly until: number }
  /** Runs died while they held it, and the lease did not ask for such a job. */
  | { readonly kind: "suspect"; readonly deaths: number }
  | { readonly kind: "over"; readonly why: "duplicate" | "cancelled" | "ended" | "split" }
  /** A newer deployment wrote its row. */
  | { readonly kind: "newer"; readonly version: number };

export type Outcome =
  | { readonly kind: "ended"; readonly ending: Ending; readonly progress: Progress; readonly reason?: string }
  | { readonly kind: "retry"; readonly progress: Progress; readonly reason?: string }
  /** Jobs for these ranges will do its work; the run keeps its lease until they are `queued`. */
  | { readonly kind: "split"; readonly ranges: readonly HashRange[] }
  | { readonly kind: "queued" };

/** written: the row says so now. cancelled: someone cancelled it first. superseded: another run holds the lease. */
export type Settled = "written" | "cancelled" | "superseded";

export interface Receipts {
  /**
   * Gives the job to one run. MUST be one conditional write if the job is new; only a conflict costs a read. A second
   * message with the same id is a duplicate within its window, and as long as the first is not over. The run before
   * that neither wrote an outcome nor made SQS show the message earlier than by its full visibility timeout has died:
   * that is counted once.
   */
  claim(job: Job, lease: Lease, now: number): Promise<Claim>;
  /**
   * Writes what a run achieved, sets the count of deaths to 0 and gives up its lease, except at a split. An ending is
   * written even over a cancel, since it is what happened; a retry or a split is not, and returns `cancelled`. Once it
   * is split, everything is written.
   */
  settle(job: Job, run: string, outcome: Outcome, now: number): Promise<Settled>;
  /** Whether the message was cancelled, claimed or not, or a later one has its id. */
  isCancelled(job: Job): Promise<boolean>;
  /** Cancels what was accepted before `now` and has not been delivered yet, whether a run has met it or not. MUST NOT change an ending. */
  cancel(producer: UserId, id: MessageId, now: number): Promise<void>;
  /** The receipt of the message that has this id now. Its size MUST be bounded, whatever the audience was. */
  find(producer: UserId, id: MessageId, now: number): Promise<Receipt | undefined>;
}

/** How one send ended. Expected endings are values. */
export type SendResult =
  | { readonly kind: "sent" }
  /** 410: there is no such connection. */
  | { readonly kind: "gone" }
  /** 429: the account's quota is used up, or the buffer of this client is full. The status does not tell which. */
  | { readonly kind: "throttled"; readonly reason: string }
  /** 5xx, a timeout, a broken connection, 403 or 404: about the gateway or the stack. `forbidden`: 403 or 404. */
  | { readonly kind: "unavailable"; readonly reason: string; readonly forbidden?: boolean }
  /** 400, 413: this connection never gets this frame. */
  | { readonly kind: "refused"; readonly reason: string };

/** What the gateway says of itself. */
export type GatewayState = "up" | "throttled" | "down";

export interface Sockets {
  /** Sends one frame, once; its bytes must not change afterwards. MUST report a failed send by its result, never throw. */
  send(id: ConnectionId, frame: Uint8Array): Promise<SendResult>;
  /**
   * Asks the gateway for a connection that cannot exist (GET @connections): 410 or 400 means up, 429 throttled, all
   * else down. MUST NOT throw.
   */
  probe(): Promise<GatewayState>;
}

export interface Tokens {
  /** Whom a token speaks for, or why it cannot be trusted. */
  verify(token: string): Promise<Result<Identity>>;
}

export type Metric =
  | "MessagesAccepted"
  | "MessagesRefused"
  | "Claims"
  | "Duplicates"
  | "Endings"
  | "Retries"
  | "DeadLetters"
  | "FramesSent"
  | "MeteredUnits"
  | "ConnectionsGone"
  | "PostsBusy"
  | "PostsRefused"
  /** Sends that the stack forbids: 403 or 404. */
  | "SendsForbidden"
  /** Runs that found the gateway down. */
  | "GatewayDown"
  /** Runs that died while they held a message. */
  | "Deaths"
  | "ConnectionsOpened"
  | "ConnectionsClosed"
  | "Subscribed"
  | "Unsubscribed"
  | "FramesRefused"
  | "Faults"
  /** Sends that the stack or its policies forbid: @connections answered 403 or 404. */
  | "SendsForbidden"
  /** Looks at a gateway that was found down. */
  | "GatewayDown";

/** What one run says about itself. */
export interface Telemetry {
  count(metric: Metric, value?: number): void;
  /** Something an operator should read: a stable event name and its fields. Never a token or a payload. */
  warn(event: string, fields: Readonly<Record<string, unknown>>, fault?: unknown): void;
}
