import * as v from "valibot";
import { MessageId, Time } from "./message.ts";
import { ErrorCode, FieldError } from "./problem.ts";
import { Ref } from "./ref.ts";
import { ConnectionId, Tag, Topic } from "./tag.ts";

/** The kinds of targets whose frame does not name the target. */
const AddressedTo = v.picklist(["connection", "user", "tags", "everyone"]);
export type AddressedTo = v.InferOutput<typeof AddressedTo>;

const Content = v.object({
  type: v.literal("message"),
  id: MessageId,
  event: v.exactOptional(v.string()),
  data: v.unknown(),
  time: Time,
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

/** What a client gets, by type. Fields that are not listed are ignored: a later router may send more. */
export const SERVER_FRAMES = {
  message: MessageFrame,
  subscribed: v.pipe(v.object({ type: v.literal("subscribed"), ...changed }), v.readonly()),
  unsubscribed: v.pipe(v.object({ type: v.literal("unsubscribed"), ...changed }), v.readonly()),
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
    v.object({ type: v.literal("pong"), connection: ConnectionId, ref: v.exactOptional(Ref) }),
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
