import type { Clock, Entry, LogFields, MessageQueue, Telemetry } from "../../ports.ts";
import { accept, problem, type Result, refuse } from "../../protocol/errors.ts";
import { type Identity, mayPublish } from "../../protocol/grant.ts";
import type { Item } from "../../protocol/item.ts";
import { PRIORITIES, type Priority } from "../../protocol/lane.ts";
import { BATCH_MESSAGES, FRAME_BYTES, SEQ_BYTES, STREAM_FRAME_BYTES } from "../../protocol/limits.ts";
import { type Message, MessageId, messageFrom, PublishRequest } from "../../protocol/message.ts";
import { frameText } from "../../protocol/message-frame.ts";
import { parse } from "../../protocol/parse.ts";
import { loggedTarget } from "../../protocol/target.ts";
import type { Traceparent } from "../../protocol/traceparent.ts";
import { type StreamSettings, streamOf } from "../../streams/kept.ts";
import type { Backlog } from "./backlog.ts";

export interface IngestDeps {
  readonly queue: Pick<MessageQueue, "send">;
  readonly backlog: Backlog;
  readonly clock: Pick<Clock, "now">;
  readonly newId: () => string;
  /** Seconds that a message without a deadline of its own lives. */
  readonly lifeSeconds: number;
  /** Whether the receipt of a message that brings no id keeps failures only. @default false */
  readonly failureReceiptsOnly?: boolean;
  /** @default no stream is kept */
  readonly streams?: StreamSettings;
  readonly telemetry: Telemetry;
  /** What the log calls the request, and the trace that it belongs to. */
  readonly request?: { readonly id?: string | undefined; readonly traceparent?: Traceparent | undefined };
}

/**
 * Checks what a producer posts and writes it to its lanes. Answers for one message, or for each of an array,
 * in order; a bad one does not sink the rest. Reads and writes no table.
 */
export async function ingest(
  deps: IngestDeps,
  producer: Identity,
  body: unknown,
): Promise<Result<Item | Item[]>> {
  if (!Array.isArray(body)) {
    const [item] = await ingestAll(deps, producer, [body], () => "");
    return item ? accept(item) : refuse("BATCH_INVALID", "the body holds no message");
  }
  if (body.length === 0 || body.length > BATCH_MESSAGES) {
    return refuse("BATCH_INVALID", `an array must hold 1-${BATCH_MESSAGES} messages, got ${body.length}`);
  }
  return accept(await ingestAll(deps, producer, body, (index) => `/${index}`));
}

async function ingestAll(
  deps: IngestDeps,
  producer: Identity,
  posts: readonly unknown[],
  root: (index: number) => string,
): Promise<Item[]> {
  // Read once: the messages of a request are accepted together, and their times never go back.
  const now = deps.clock.now();
  const checked = posts.map((post, index) => check(deps, { producer, now }, post, root(index)));
  const entries = checked.flatMap((result) => (result.ok ? [result.value] : []));
  const lanes = new Set(entries.map(laneOf));
  // A lane that takes nothing is looked at too, or what is known of it grows old and it takes again unseen.
  const isFull = checked.some((result) => !result.ok && result.refusal.code === "LANE_FULL");
  const look = deps.backlog.look(isFull ? PRIORITIES : [...lanes])?.catch((fault: unknown) => {
    deps.telemetry.warn("backlog not read", {}, fault);
  });
  const queued = await enqueue(deps.queue, lanes, entries);
  await look;
  deps.telemetry.count("MessagesAccepted", queued.size);
  deps.telemetry.count("MessagesRefused", posts.length - queued.size);
  deps.telemetry.count("MessagesShed", shedIn(checked) + entries.length - queued.size);
  return checked.map((result, index) => {
    if (!result.ok) return refused(deps, producer, posts[index], result);
    const { message } = result.value.job;
    const { id } = message;
    if (!queued.has(result.value)) {
      const refusal = refuse("QUEUE_UNAVAILABLE", `the queue did not take message ${id}; send it again`);
      return refused(deps, producer, posts[index], refusal);
    }
    deps.telemetry.info?.("message accepted", acceptedFields(deps, message));
    return { id, state: "queued" };
  });
}

/** Messages that were refused since their lane is full. */
const shedIn = (checked: readonly Result<Entry>[]): number =>
  checked.filter((result) => !result.ok && result.refusal.code === "LANE_FULL").length;

const acceptedFields = ({ request = {} }: IngestDeps, message: Message): LogFields => ({
  messageId: message.id,
  producer: message.producer,
  lane: message.priority,
  target: loggedTarget(message.target),
  ...requestFields(request),
  ...(message.dueAt === undefined ? {} : { dueAt: new Date(message.dueAt).toISOString() }),
});

function requestFields({ id, traceparent }: NonNullable<IngestDeps["request"]>): LogFields {
  const fields: { requestId?: string; traceparent?: string } = {};
  if (id !== undefined) fields.requestId = id;
  if (traceparent !== undefined) fields.traceparent = traceparent;
  return fields;
}

function check(
  deps: IngestDeps,
  { producer, now }: { readonly producer: Identity; readonly now: number },
  input: unknown,
  root: string,
): Result<Entry> {
  const post = parse(PublishRequest, input, "MESSAGE_INVALID", root);
  if (!post.ok) return post;
  if (!mayPublish(producer, post.value.target)) {
    return refuse(
      "TARGET_FORBIDDEN",
      `the token's publish grant does not cover ${JSON.stringify(post.value.target)}`,
    );
  }
  const priority = post.value.priority ?? "normal";
  const retryAfter = deps.backlog.retryAfter(priority);
  if (retryAfter !== undefined) {
    return refuse("LANE_FULL", `the ${priority} lane is over its limit; send again after ${retryAfter} s`, {
      retryAfter,
    });
  }
  const traceparent = deps.request?.traceparent;
  const message = messageFrom(post.value, { producer: producer.sub, now, traceparent, ...deps }, root);
  if (!message.ok) return message;
  const size = checkSize(deps, message.value);
  if (!size.ok) return size;
  return accept({ job: { message: message.value }, delaySeconds: post.value.delaySeconds ?? 0 });
}

/** A frame to a topic or a user has room for the longest `seq`, so that switching streams on makes none too large. */
function checkSize({ streams = { streams: [] } }: IngestDeps, message: Message): Result<undefined> {
  const { target } = message;
  const isNumbered = "topic" in target || "user" in target;
  const bytes = Buffer.byteLength(frameText(message)) + (isNumbered ? SEQ_BYTES : 0);
  const kept = streamOf(streams, target);
  const most = kept ? STREAM_FRAME_BYTES : FRAME_BYTES;
  if (bytes <= most) return accept(undefined);
  const why = kept ? `: ${kept.stream} keeps a stream, and a reply carries more than the message` : "";
  return refuse("MESSAGE_TOO_LARGE", `the frame would be ${bytes} bytes, at most ${most} fit${why}`);
}

/** Sends each entry to its lane. Returns those that the queue took. */
async function enqueue(
  queue: IngestDeps["queue"],
  lanes: ReadonlySet<Priority>,
  entries: readonly Entry[],
): Promise<ReadonlySet<Entry>> {
  const queued = new Set<Entry>();
  const send = async (lane: Priority) => {
    const own = entries.filter((entry) => laneOf(entry) === lane);
    const taken = await queue.send(lane, own);
    for (const [index, entry] of own.entries()) if (taken[index]) queued.add(entry);
  };
  await Promise.all([...lanes].map(send));
  return queued;
}

const laneOf = ({ job }: Entry): Priority => job.message.priority;

function refused(
  { telemetry, request = {} }: IngestDeps,
  producer: Identity,
  post: unknown,
  { refusal }: Extract<Result<never>, { ok: false }>,
): Item {
  const id =
    typeof post === "object" && post !== null && "id" in post && typeof post.id === "string"
      ? post.id
      : undefined;
  telemetry.info?.("message refused", {
    ...requestFields(request),
    // What is no id may be anything.
    ...(parse(MessageId, id, "MESSAGE_INVALID").ok ? { messageId: id } : {}),
    ...{ producer: producer.sub, code: refusal.code },
  });
  return { ...(id === undefined ? {} : { id }), state: "refused", problem: problem(refusal) };
}
