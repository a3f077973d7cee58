import type { Disconnected } from "../protocol/disconnected.ts";
import type { FieldError, Problem } from "../protocol/errors.ts";
import type { ClientFrame, RefusedTopic, ServerFrame } from "../protocol/frame.ts";
import type { GRANT_CLAIM, Grant, Identity } from "../protocol/grant.ts";
import type { QueuedItem, RefusedItem } from "../protocol/item.ts";
import { DATA_LEVELS, DEFAULT_DEDUPE_SECONDS, FRAME_BYTES } from "../protocol/limits.ts";
import type { PublishRequest } from "../protocol/message.ts";
import type { MessageFrame } from "../protocol/message-frame.ts";
import type { Receipt } from "../protocol/receipt.ts";
import type { History } from "../protocol/server-frame.ts";

/*
 * What the documents say of each field. It stands apart from the schemas, which the functions load. A field without its
 * text here does not compile.
 */

type FieldsOf<T> = Record<T extends unknown ? keyof T : never, string>;
type Frame<Frames extends { readonly type: string }, Type extends Frames["type"]> = FieldsOf<
  Extract<Frames, { readonly type: Type }>
>;

const REF = "Chosen by the client. The reply carries it back.";
const TYPE = "The type of the frame.";
const RETRY = "Seconds after which trying again makes sense.";
const CODE = "What is wrong: stable, see docs/errors.md. Later versions may have more codes.";
const DETAIL = "What is wrong, for a human.";
const BAD_FIELDS = "The bad fields: all of them, or the first hundred.";

const changes = {
  type: TYPE,
  topics: "The topics that are as the frame asked.",
  refused: "The topics that were not changed, and why. Absent if there are none.",
  ref: REF,
};
const asks = { type: TYPE, topics: "Names of topics. One that is named twice is answered once.", ref: REF };
const LAST = "How many of the last messages to answer with.";

const HISTORY = {
  topic: "The topic, or `@user`.",
  messages: "In ascending order of `seq`.",
  position: "Where the client is in the stream after this reply. Absent if the topic keeps none.",
  more: "Whether there are messages after `position` which did not fit.",
  gap: "Whether messages after the asked position are not kept any more. `messages` begins at the oldest kept.",
};

export const FIELD_TEXT = {
  PublishRequest: {
    id: "Names the message among those of its producer. A UUIDv7 is made if it is absent.",
    target: "Whom the message is for.",
    event: "A name of what happened, such as order.shipped.",
    data: `Any JSON, at most ${DATA_LEVELS} levels deep. The frame made of the message has at most ${FRAME_BYTES} bytes.`,
    priority: "The lane that the message takes. `normal` if it is absent.",
    expiresAt:
      "The message is dropped at this time, which lies ahead, and no further than the deployment keeps messages. Give either this or `ttlSeconds`.",
    ttlSeconds:
      "The message is dropped after this time. A deployment may keep messages for less: 342,000 seconds by default.",
    delaySeconds: "The message is delivered no sooner. It must be due before it expires.",
    dedupeSeconds: `A second message with the same id changes nothing for this time. ${DEFAULT_DEDUPE_SECONDS} if it is absent.`,
  } satisfies FieldsOf<PublishRequest>,
  QueuedItem: {
    id: "The id of the message, by which its receipt can be read.",
    state: "The message is stored durably.",
  } satisfies FieldsOf<QueuedItem>,
  Disconnected: {
    closed: "The number of sockets that this request closed.",
    more: "Whether some may be left: then send the same request again.",
  } satisfies FieldsOf<Disconnected>,
  RefusedItem: {
    id: "The id that the producer gave, if that is a string.",
    state: "The message is not stored.",
    problem: "Why it is refused.",
  } satisfies FieldsOf<RefusedItem>,
  Problem: {
    type: "`urn:tagwire:error:` and the code.",
    title: "What the code means.",
    status: "The HTTP status.",
    code: CODE,
    detail: DETAIL,
    errors: BAD_FIELDS,
    retryAfter: RETRY,
  } satisfies FieldsOf<Problem>,
  FieldError: {
    pointer: "A JSON pointer into the body (RFC 6901).",
    detail: "What is wrong with the field, or what would do.",
  } satisfies FieldsOf<FieldError>,
  Receipt: {
    id: "The id of the message.",
    producer: "The `sub` of the token that it was posted with.",
    state: "`delivering` or `retrying`, and then one ending.",
    time: "When the message was accepted. Absent if it was cancelled before any run met it.",
    counts:
      "Connections: `sent` got it, `gone` were not there any more, `failed` will not get it, `pending` wait for a retry.",
    attempts: "How often a run received it.",
    jobs: "Into how many jobs it was split. Absent if it was not.",
    reason: "Why it is not simply delivered.",
    failed: "Connections that did not get it and will not, by name, as far as they fit.",
    updatedAt: "When the receipt changed last.",
  } satisfies FieldsOf<Receipt>,
  Grant: {
    tags: "What its connections hold from the start. No `user:` tag is among them: `sub` says that.",
    subscribe: "Patterns of the topics that its connections may add.",
    publish: "Patterns of the targets that it may post to.",
    admin: "It may read and cancel the messages of every producer.",
  } satisfies FieldsOf<Grant>,
  Claims: {
    sub: "The user of its connections, and the producer of its messages.",
    exp: "When it expires, in seconds since 1970.",
    tagwire: "What it grants: an object, or its JSON as a string. It grants nothing if it is absent.",
  } satisfies FieldsOf<Pick<Identity, "sub" | "exp"> & { readonly [GRANT_CLAIM]: Grant }>,
  RefusedTopic: {
    topic: "The topic as the frame named it.",
    code: CODE,
    detail: DETAIL,
  } satisfies FieldsOf<RefusedTopic>,
  SubscribeFrame: {
    ...asks,
    since:
      "By topic, the position of the client: the number of the last message that it handed on. `@user` is the stream of the own user.",
    last: `${LAST} For the topics that \`since\` does not name.`,
  } satisfies Frame<ClientFrame, "subscribe">,
  UnsubscribeFrame: asks satisfies Frame<ClientFrame, "unsubscribe">,
  HistoryFrame: {
    type: TYPE,
    topic: "A topic that the token grants, or `@user` for the stream of the own user.",
    since: "The position after which the messages are asked for. Give either this or `last`.",
    last: LAST,
    ref: REF,
  } satisfies Frame<ClientFrame, "history">,
  PingFrame: {
    type: TYPE,
    positions: "The streams whose present positions are asked for, with the client's own.",
    ref: REF,
  } satisfies Frame<ClientFrame, "ping">,
  MessageFrame: {
    type: TYPE,
    id: "The id of the message. A client drops a frame whose id it has seen.",
    seq: "Its number, if the topic or the user keeps a stream.",
    event: "The name that the producer gave. Absent if it gave none.",
    data: "What the producer sent. Absent only if the message is `omitted`.",
    omitted: "The message is kept, and too large for every reply.",
    time: "When the message was accepted.",
    traceparent:
      "The `traceparent` of the request that posted it (W3C Trace Context), if that had a valid one.",
    topic: "The topic that the message is for.",
    to: "The kind of its target, if that is no topic.",
  } satisfies FieldsOf<MessageFrame>,
  SubscribedFrame: {
    ...changes,
    positions: "Where the client is in each stream after this reply. Absent if no topic keeps a stream.",
    recovered:
      "Of each topic that `since` named: whether nothing is missed. If not, `positions` has the present position.",
    messages: "What the client missed, by topic in ascending order of `seq`. Absent if there is nothing.",
    more: "The topics that have messages after `positions` which did not fit: ask for their history.",
  } satisfies Frame<ServerFrame, "subscribed">,
  UnsubscribedFrame: changes satisfies Frame<ServerFrame, "unsubscribed">,
  PongFrame: {
    type: TYPE,
    connection: "The id of this connection, which a target can name.",
    positions: "The present position of each stream that the ping named. Absent if they could not be read.",
    refused: "The topics that the ping named and the token does not grant. Absent if there are none.",
    ref: REF,
  } satisfies Frame<ServerFrame, "pong">,
  History: HISTORY satisfies FieldsOf<History>,
  HistoryReplyFrame: { type: TYPE, ...HISTORY, ref: REF } satisfies Frame<ServerFrame, "history">,
  ErrorFrame: {
    type: TYPE,
    code: CODE,
    detail: DETAIL,
    errors: BAD_FIELDS,
    retryAfter: RETRY,
    ref: REF,
  } satisfies Frame<ServerFrame, "error">,
};

export type Described = keyof typeof FIELD_TEXT;
