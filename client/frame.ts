import type { Message } from "./message.ts";
import type { StreamReply } from "./stream.ts";

/** A message as it is on the wire. */
export type MessageFrame = Message & { readonly omitted?: boolean };

/** A frame of the router. What is not of its type's form is left out, as rubbish is. */
export type Frame =
  | { readonly type: "message"; readonly message: MessageFrame }
  | { readonly type: "reply"; readonly ref: unknown; readonly reply: Reply };

/** What the router replies to a frame. */
export interface Reply {
  readonly type: string;
  /** Of an `error`. */
  readonly code: string;
  readonly detail: string;
  /** Seconds. */
  readonly retryAfter: number | undefined;
  readonly fields: Fields;
}

export type Fields = Readonly<Record<string, unknown>>;

const isObject = (it: unknown): it is Fields => typeof it === "object" && it !== null && !Array.isArray(it);
const text = (it: unknown): string => (typeof it === "string" ? it : "");

/** A part of a frame that should be an object, a list or a number. */
export const fieldsOf = (it: unknown): Fields => (isObject(it) ? it : {});
export const listOf = (it: unknown): readonly unknown[] => (Array.isArray(it) ? it : []);
export const numberOf = (it: unknown): number | undefined =>
  Number.isSafeInteger(it) ? Number(it) : undefined;

const isMessage = (it: unknown): it is MessageFrame & Fields =>
  isObject(it) &&
  typeof it["id"] === "string" &&
  (it["seq"] === undefined || numberOf(it["seq"]) !== undefined);

/** Reads a frame. Returns undefined for one that is not in the protocol, which a client ignores. */
export function frameOf(data: unknown): Frame | undefined {
  let json: unknown;
  try {
    json = JSON.parse(String(data));
  } catch {
    return undefined;
  }
  if (!isObject(json)) return undefined;
  const { type, ref, message } = json;
  // Not the router speaks, but the gateway before it, which repeats no `ref`.
  if (type === undefined && typeof message === "string")
    return {
      type: "reply",
      ref: undefined,
      reply: replyOf({ type: "error", code: "GATEWAY", detail: message }),
    };
  if (type === "message") return isMessage(json) ? { type, message: content(json) } : undefined;
  return typeof type === "string" ? { type: "reply", ref, reply: replyOf(json) } : undefined;
}

const replyOf = (fields: Fields): Reply => ({
  type: text(fields["type"]),
  code: text(fields["code"]),
  detail: text(fields["detail"]),
  retryAfter: numberOf(fields["retryAfter"]),
  fields,
});

/** The message of a frame, without what makes it a frame. */
function content({ type, ...message }: MessageFrame & Fields): MessageFrame {
  return message;
}

const messagesOf = (it: unknown): MessageFrame[] => listOf(it).filter(isMessage).map(content);

/** What a `subscribed` says of one topic. Its messages are those of all its topics. */
export function subscribedOf({ fields }: Reply, name: string): StreamReply<MessageFrame> {
  const of = (key: string) => fieldsOf(fields[key])[name];
  return {
    position: numberOf(of("positions")),
    recovered: of("recovered") === true,
    more: of("more") === true,
    messages: messagesOf(fields["messages"]).filter((message) => streamOf(message) === name),
  };
}

/** What a `history` says. */
export const historyOf = ({ fields }: Reply): StreamReply<MessageFrame> => ({
  position: numberOf(fields["position"]),
  more: fields["more"] === true,
  gap: fields["gap"] === true,
  messages: messagesOf(fields["messages"]),
});

/** The name of what a message came by: its topic, or `@` and the kind of its target. */
export const streamOf = ({ topic, to }: MessageFrame): string => topic ?? `@${to}`;

/** Whether the same frame can do better later. A code that the client does not know may pass. */
export const isPassing = (code: string): boolean => !/_(INVALID|FORBIDDEN)$|^TOO_MANY_TOPICS$/.test(code);
