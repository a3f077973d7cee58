import * as v from "valibot";
import type { Refusal, Result } from "./errors.ts";
import { FRAME_TOPICS } from "./limits.ts";
import { exactObject, parse, parseJson } from "./parse.ts";
import { Ref } from "./ref.ts";
import type { ServerFrame } from "./server-frame.ts";
import { HistoryRequest, Last, Standing } from "./stream-frame.ts";

export type { Ref } from "./ref.ts";
export type { RefusedTopic, ServerFrame } from "./server-frame.ts";

/** The WebSocket sub-protocol this page of the protocol is called (RFC 6455 §1.9). */
export const SUBPROTOCOL = "tagwire.v1";

const Topics = v.pipe(
  v.array(v.unknown()),
  v.minLength(1, "must name at least one topic"),
  v.maxLength(FRAME_TOPICS, `must name at most ${FRAME_TOPICS} topics`),
  v.array(v.string()),
);

/** What a client may send, by type. A topic is checked by itself, since a bad one does not sink the others. */
export const CLIENT_FRAMES = {
  subscribe: exactObject({
    type: v.literal("subscribe"),
    topics: Topics,
    since: v.optional(Standing),
    last: v.optional(Last),
    ref: v.optional(Ref),
  }),
  unsubscribe: exactObject({ type: v.literal("unsubscribe"), topics: Topics, ref: v.optional(Ref) }),
  token: exactObject({
    type: v.literal("token"),
    token: v.pipe(v.string(), v.minLength(1, "must not be empty")),
    ref: v.optional(Ref),
  }),
  history: HistoryRequest,
  ping: exactObject({ type: v.literal("ping"), positions: v.optional(Standing), ref: v.optional(Ref) }),
};
const { subscribe, unsubscribe, token, history, ping } = CLIENT_FRAMES;
const ClientFrame = v.variant("type", [subscribe, unsubscribe, token, history, ping]);
export type ClientFrame = v.InferOutput<typeof ClientFrame>;

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
