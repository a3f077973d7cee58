import * as v from "valibot";
import type { ErrorCode, Refusal, Result } from "./errors.ts";
import { FRAME_TOPICS, REF_LENGTH } from "./limits.ts";
import type { MessageFrame } from "./message-frame.ts";
import { exactObject, parse, parseJson } from "./parse.ts";
import type { ConnectionId } from "./tag.ts";

/** The WebSocket sub-protocol this page of the protocol is called (RFC 6455 §1.9). */
export const SUBPROTOCOL = "tagwire.v1";

const Ref = v.union(
  [
    v.pipe(v.string(), v.maxLength(REF_LENGTH, `must be at most ${REF_LENGTH} long`)),
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

/** What a client may send. A topic is checked by itself, since a bad one does not sink the others. */
const ClientFrame = v.variant("type", [
  exactObject({ type: v.literal("subscribe"), topics: Topics, ref: v.optional(Ref) }),
  exactObject({ type: v.literal("unsubscribe"), topics: Topics, ref: v.optional(Ref) }),
  exactObject({ type: v.literal("ping"), ref: v.optional(Ref) }),
]);
export type ClientFrame = v.InferOutput<typeof ClientFrame>;
export type Ref = v.InferOutput<typeof Ref>;

export interface RefusedTopic {
  readonly topic: string;
  readonly code: ErrorCode;
  readonly detail: string;
}

/** What a client gets. */
export type ServerFrame =
  | MessageFrame
  | {
      readonly type: "subscribed" | "unsubscribed";
      readonly topics: readonly string[];
      /** The topics that were not changed, and why. Left out if there are none. */
      readonly refused?: readonly RefusedTopic[];
      readonly ref?: Ref;
    }
  | { readonly type: "pong"; readonly connection: ConnectionId; readonly ref?: Ref }
  | {
      readonly type: "error";
      readonly code: ErrorCode;
      readonly detail: string;
      readonly errors?: readonly { pointer: string; detail: string }[];
      /** Seconds after which trying again makes sense. */
      readonly retryAfter?: number;
      readonly ref?: Ref;
    };

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
