import type { Outcome } from "../../shared/ports.ts";
import type { Message, MessageId } from "../../shared/protocol/message.ts";
import type { UserId } from "../../shared/protocol/tag.ts";
import type { Target } from "../../shared/protocol/target.ts";
import type { Counts, Receipt, Recipient } from "../../shared/receipts/receipt.ts";
import type { Socket } from "../world/gateway.ts";
import type { Actor } from "../world/scheduler.ts";
import type { Audience } from "./audience.ts";
import type { Content } from "./content.ts";
import type { PartState, Range } from "./part.ts";

/** One run's hold on a job, as the table gave it. */
export interface JobRun {
  readonly record: MessageRecord;
  readonly actor: Actor;
  readonly run: string;
  readonly receive: number;
  readonly part: string;
  readonly range: Range | undefined;
  readonly since: number;
  /** settling: it has tried to write what it did. settled: the row says so. */
  state: "processing" | "settling" | "settled";
  counts: Counts;
  /** The pending connections that it took over. */
  readonly taken: readonly Recipient[];
  /** Connections whose posts it had an answer to. */
  readonly answered: Set<string>;
  /** What it wrote, or tried to. */
  outcome?: Outcome;
  /** Whether it has changed the visibility of its message for sure. */
  hidden: boolean;
  /** It knows that what it did is written. */
  written: boolean;
  /** Connections that it sent to since it last asked whether the message was cancelled. */
  readonly sinceLook: Set<string>;
  /** It was told that the message is cancelled or replaced. */
  toldWithdrawn: boolean;
}

/** One post, from its start to its answer. */
export interface Post {
  readonly record: MessageRecord | undefined;
  readonly jobRun: JobRun | undefined;
  readonly actor: Actor;
  readonly id: string;
}

/** A frame that reached a client. */
export interface Arrival {
  readonly jobRun: JobRun | undefined;
  /** The gateway took it and said otherwise. */
  readonly lied: boolean;
  readonly at: number;
}

/** What a POST says. */
export interface PostedMessage {
  readonly producer: UserId;
  readonly id: MessageId;
  readonly target: Target;
  readonly event?: string;
  readonly priority: Message["priority"];
  readonly dedupeSeconds: number;
  readonly delaySeconds?: number;
  readonly ttlSeconds?: number;
  readonly content: Omit<Content, "number">;
}

/** One POST of one message, and all that is known about it. */
export interface MessageRecord extends PostedMessage {
  /** Carried in the message's data, so that a frame tells which POST it is of. */
  readonly number: number;
  readonly postedAt: number;
  /** The producer has seen its 202. */
  accepted: boolean;
  /** As the queue got it first. */
  message?: Message;
  readonly audience: Audience;
  readonly arrivals: Map<Socket, Arrival[]>;
  readonly jobRuns: JobRun[];
  /** What the table was written of its parts, by name. */
  readonly parts: Map<string, PartState>;
  /** What became of posts, as far as settled. */
  tally: Counts;
  /** Its receipt when it was looked at last. */
  receipt?: Receipt;
  /** When its receipt first said how it ended. */
  endedAt?: number;
  /** Why a run dropped it without delivering. */
  dropped?: "duplicate" | "cancelled";
  /** The time on its row by which it was cancelled, and the true time at which that was written. */
  cancel?: { readonly stamp: number; readonly writtenAt: number };
  cancelAsked: boolean;
  /** Its number in its stream. */
  seq?: number;
  /** When a cancel was answered. */
  cancelledAt?: number;
}

export const NO_COUNTS: Counts = { sent: 0, gone: 0, failed: 0 };

export const plus = (a: Counts, b: Counts): Counts => ({
  sent: a.sent + b.sent,
  gone: a.gone + b.gone,
  failed: a.failed + b.failed,
});

/** Whether it has come to an ending that must not change any more. Only a redrive leads on from `dead`. */
export const isOver = ({ receipt }: MessageRecord): boolean =>
  receipt !== undefined && !["delivering", "retrying", "dead"].includes(receipt.state);

export const nameOf = ({ id, producer, number }: MessageRecord): string =>
  `${id} (POST ${number} of ${producer})`;

/** When it was accepted, by the clock of the function that did: milliseconds since 1970. */
export const acceptedAt = ({ message, postedAt }: MessageRecord): number =>
  message ? Date.parse(message.time) : postedAt;
