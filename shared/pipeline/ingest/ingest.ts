import type { Clock, Entry, MessageQueue, Telemetry } from "../../ports.ts";
import { accept, problem, type Result, refuse } from "../../protocol/errors.ts";
import { type Identity, mayPublish } from "../../protocol/grant.ts";
import type { Item } from "../../protocol/item.ts";
import { PRIORITIES } from "../../protocol/lane.ts";
import { BATCH_MESSAGES, FRAME_BYTES, SEQ_BYTES, STREAM_FRAME_BYTES } from "../../protocol/limits.ts";
import { type Message, messageFrom, PublishRequest } from "../../protocol/message.ts";
import { frameText } from "../../protocol/message-frame.ts";
import { parse } from "../../protocol/parse.ts";
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
  // A lane that takes nothing is looked at too, or what is known of it grows old and it takes again unseen.
  const isFull = checked.some((result) => !result.ok && result.refusal.code === "LANE_FULL");
  const lanes = isFull ? PRIORITIES : [...new Set(entries.map(({ job }) => job.message.priority))];
  const look = deps.backlog.look(lanes)?.catch((fault: unknown) => {
    deps.telemetry.warn("backlog not read", {}, fault);
  });
  const queued = await enqueue(deps.queue, entries);
  await look;
  deps.telemetry.count("MessagesAccepted", queued.size);
  deps.telemetry.count("MessagesRefused", posts.length - queued.size);
  return checked.map((result, index) => {
    if (!result.ok) return refused(posts[index], result);
    const { id } = result.value.job.message;
    if (queued.has(result.value)) return { id, state: "queued" };
    return refused(
      posts[index],
      refuse("QUEUE_UNAVAILABLE", `the queue did not take message ${id}; send it again`),
    );
  });
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
  const message = messageFrom(post.value, { ...deps, producer: producer.sub, now }, root);
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

async function enqueue(queue: IngestDeps["queue"], entries: readonly Entry[]): Promise<ReadonlySet<Entry>> {
  const byLane = PRIORITIES.map((lane) => ({
    lane,
    own: entries.filter(({ job }) => job.message.priority === lane),
  })).filter(({ own }) => own.length > 0);
  const taken = await Promise.all(byLane.map(({ lane, own }) => queue.send(lane, own)));
  return new Set(byLane.flatMap(({ own }, at) => own.filter((_, index) => taken[at]?.[index])));
}

function refused(post: unknown, { refusal }: Extract<Result<never>, { ok: false }>): Item {
  const id =
    typeof post === "object" && post !== null && "id" in post && typeof post.id === "string"
      ? post.id
      : undefined;
  return { ...(id === undefined ? {} : { id }), state: "refused", problem: problem(refusal) };
}
