import type { HashRange } from "../../shared/domain/hash-range.ts";
import type { Message, MessageId } from "../../shared/domain/message.ts";
import type { Counts, Receipt } from "../../shared/domain/receipt.ts";
import type { ReceiptRow } from "../../shared/domain/receipt-row.ts";
import type { UserId } from "../../shared/domain/tag.ts";
import type { Target } from "../../shared/domain/target.ts";
import type { Socket } from "../world/gateway.ts";
import type { Actor } from "../world/scheduler.ts";
import type { Audience } from "./audience.ts";

/** One run's hold on a job, as the table gave it. */
export interface Serving {
  readonly letter: Letter;
  readonly actor: Actor;
  readonly run: string;
  readonly receive: number;
  readonly part: string;
  readonly range: HashRange;
  readonly since: number;
  /** settling: it has tried to write what it did. settled: the row says so. */
  state: "serving" | "settling" | "settled";
  counts: Counts;
}

/** One post, from its start to its answer. */
export interface Post {
  readonly letter: Letter | undefined;
  readonly serving: Serving | undefined;
  readonly actor: Actor;
}

/** A frame that reached a client. */
export interface Arrival {
  readonly serving: Serving | undefined;
  /** The gateway took it and said otherwise. */
  readonly lied: boolean;
}

/** One POST of one message, and all that is known about it. */
export interface Letter {
  /** Carried in the message's data, so that a frame tells which POST it is of. */
  readonly number: number;
  readonly producer: UserId;
  readonly id: MessageId;
  readonly target: Target;
  readonly dedupeSeconds: number;
  readonly postedAt: number;
  /** The producer has seen its 202. */
  accepted: boolean;
  /** As the queue got it first. */
  message?: Message;
  readonly audience: Audience;
  readonly arrivals: Map<Socket, Arrival[]>;
  readonly servings: Serving[];
  /** What became of posts, as far as settled. */
  tally: Counts;
  /** Its receipt when it was looked at last, and the rows that made it. */
  receipt?: Receipt;
  rows: readonly ReceiptRow[];
  /** Why a run dropped it without delivering. */
  dropped?: "duplicate" | "cancelled";
  cancelAsked: boolean;
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
export const isOver = ({ receipt }: Letter): boolean =>
  receipt !== undefined && !["delivering", "retrying", "dead"].includes(receipt.state);

export const nameOf = ({ id, number }: Letter): string => `${id} (POST ${number})`;
