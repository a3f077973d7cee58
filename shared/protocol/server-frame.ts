import * as v from "valibot";
import { MessageId, Time } from "./message.ts";
import { ErrorCode, FieldError } from "./problem.ts";
import { Ref } from "./ref.ts";
import { Position } from "./stream-frame.ts";
import { ConnectionId, Tag, Topic } from "./tag.ts";
import { Traceparent } from "./traceparent.ts";

/** The kinds of targets whose frame does not name the target. */
const AddressedTo = v.picklist(["connection", "user", "tags", "everyone"]);
export type AddressedTo = v.InferOutput<typeof AddressedTo>;

const Content = v.object({
  type: v.literal("message"),
  id: MessageId,
  /** Its number, if it is of a stream. */
  seq: v.exactOptional(Position),
  event: v.exactOptional(v.string()),
  /** Absent only if the message is `omitted`. */
  data: v.exactOptional(v.unknown()),
  /** The message is too large for every reply. */
  omitted: v.exactOptional(v.literal(true)),
  time: Time,
  /** The trace that the producer's request belongs to, if it named one. */
  traceparent: v.exactOptional(Traceparent),
});

/** What a client gets of a message. It has either `topic` or `to`. */
export const MessageFrame = v.pipe(
  v.intersect([Content, v.union([v.object({ topic: Topic }), v.object({ to: AddressedTo })])]),
  v.readonly(),
);
export type MessageFrame = v.InferOutput<typeof MessageFrame>;

/** A topic that a frame did not change, and why. */
export const RefusedTopic = v.pipe(
  v.object({ topic: v.string(), code: ErrorCode, detail: v.string() }),
  v.readonly(),
);
export type RefusedTopic = v.InferOutput<typeof RefusedTopic>;

const changed = {
  topics: v.pipe(v.array(v.string()), v.readonly()),
  /** The topics that were not changed, and why. Left out if there are none. */
  refused: v.exactOptional(v.pipe(v.array(RefusedTopic), v.readonly())),
  ref: v.exactOptional(Ref),
};

const Messages = v.pipe(v.array(MessageFrame), v.readonly());
const Positions = v.pipe(v.record(v.string(), Position), v.readonly());
const Flags = v.pipe(v.record(v.string(), v.boolean()), v.readonly());

const history = {
  /** The topic, or `@user` for the stream of the own user. */
  topic: v.string(),
  messages: Messages,
  /** Where the client is in the stream after these messages. Absent if the topic keeps no stream. */
  position: v.exactOptional(Position),
  /** Whether there are messages after `position`. */
  more: v.boolean(),
  /** Whether messages after the asked position are not kept any more. */
  gap: v.boolean(),
};

/** Kept messages of one stream, as HTTP returns them. */
export const History = v.pipe(v.object(history), v.readonly());
export type History = v.InferOutput<typeof History>;

/** What a client gets, by type. Fields that are not listed are ignored: a later router may send more. */
export const SERVER_FRAMES = {
  message: MessageFrame,
  subscribed: v.pipe(
    v.object({
      type: v.literal("subscribed"),
      ...changed,
      /** Where the client is in each stream after this reply. */
      positions: v.exactOptional(Positions),
      /** Whether nothing is missed, of each topic that `since` named. */
      recovered: v.exactOptional(Flags),
      messages: v.exactOptional(Messages),
      /** The topics that have messages after `positions` which did not fit. */
      more: v.exactOptional(Flags),
    }),
    v.readonly(),
  ),
  unsubscribed: v.pipe(v.object({ type: v.literal("unsubscribed"), ...changed }), v.readonly()),
  history: v.pipe(
    v.object({ type: v.literal("history"), ...history, ref: v.exactOptional(Ref) }),
    v.readonly(),
  ),
  token: v.pipe(
    v.object({
      type: v.literal("token"),
      /** When the new token ends. */
      expiresAt: Time,
      /** Tags that the connection held and the new token does not grant, its topics as `topic:<name>`. */
      removed: v.pipe(v.array(Tag), v.readonly()),
      ref: v.exactOptional(Ref),
    }),
    v.readonly(),
  ),
  pong: v.pipe(
    v.object({
      type: v.literal("pong"),
      connection: ConnectionId,
      /** The present position of each stream that the ping named. */
      positions: v.exactOptional(Positions),
      refused: changed.refused,
      ref: v.exactOptional(Ref),
    }),
    v.readonly(),
  ),
  error: v.pipe(
    v.object({
      type: v.literal("error"),
      code: ErrorCode,
      detail: v.string(),
      errors: v.exactOptional(v.pipe(v.array(FieldError), v.readonly())),
      /** Seconds after which trying again makes sense. */
      retryAfter: v.exactOptional(v.number()),
      ref: v.exactOptional(Ref),
    }),
    v.readonly(),
  ),
};
export type ServerFrame = v.InferOutput<(typeof SERVER_FRAMES)[keyof typeof SERVER_FRAMES]>;
