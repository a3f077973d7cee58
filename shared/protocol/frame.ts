import * as v from "valibot";
import { ErrorCode, FieldError, type Refusal, type Result } from "./errors.ts";
import { FRAME_TOPICS, REF_LENGTH } from "./limits.ts";
import { MessageFrame } from "./message-frame.ts";
import { exactObject, parse, parseJson } from "./parse.ts";
import { ConnectionId } from "./tag.ts";

/** The WebSocket sub-protocol this page of the protocol is called (RFC 6455 §1.9). */
export const SUBPROTOCOL = "tagwire.v1";

const Ref = v.union(
  [
    v.pipe(v.string(), v.maxCodePoints(REF_LENGTH, `must be at most ${REF_LENGTH} characters long`)),
    v.pipe(v.number(), v.finite("must be a number that fits a double")),
  ],
  "must be a string or a number",
);
const Topics = v.pipe(
  v.array(v.unknown()),
  v.minLength(1, "must name at least one topic"),
  v.maxLength(FRAME_TOPICS, `must name at most ${FRAME_TOPICS} topics`),
  v.array(v.string()),
);

/** What a client may send, by type. A topic is checked by itself, since a bad one does not sink the others. */
export const CLIENT_FRAMES = {
  subscribe: exactObject({ type: v.literal("subscribe"), topics: Topics, ref: v.optional(Ref) }),
  unsubscribe: exactObject({ type: v.literal("unsubscribe"), topics: Topics, ref: v.optional(Ref) }),
  ping: exactObject({ type: v.literal("ping"), ref: v.optional(Ref) }),
};
const { subscribe, unsubscribe, ping } = CLIENT_FRAMES;
const ClientFrame = v.variant("type", [subscribe, unsubscribe, ping]);
export type ClientFrame = v.InferOutput<typeof ClientFrame>;
export type Ref = v.InferOutput<typeof Ref>;

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

/** What a client gets instead of what it asked for. */
export const errorFrame = (
  { code, detail, errors, retryAfter }: Refusal,
  ref: Ref | undefined,
): ServerFrame => ({
  type: "error",
  code,
  detail,
  ...(errors ? { errors } : {}),
  ...(retryAfter === undefined ? {} : { retryAfter }),
  ...(ref === undefined ? {} : { ref }),
});

/** Reads what a client sent. */
export function parseFrame(text: string): Result<ClientFrame> {
  const json = parseJson(text, "FRAME_INVALID");
  return json.ok ? parse(ClientFrame, json.value, "FRAME_INVALID") : json;
}

/** The `ref` of a frame that is otherwise bad, so that its error still finds the caller. */
export function refOf(text: string): Ref | undefined {
  const json = parseJson(text);
  if (!json.ok || typeof json.value !== "object" || json.value === null || !("ref" in json.value))
    return undefined;
  const ref = v.safeParse(Ref, json.value.ref);
  return ref.success ? ref.output : undefined;
}
