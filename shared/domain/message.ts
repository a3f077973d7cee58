import * as v from "valibot";
import { Data } from "./data.ts";
import { accept, type Result, refuse } from "./errors.ts";
import { type HashRange, isHashRange } from "./hash-range.ts";
import { PRIORITIES, type Priority } from "./lane.ts";
import { DEDUPE_SECONDS, DEFAULT_DEDUPE_SECONDS, DELAY_SECONDS, TTL_SECONDS } from "./limits.ts";
import { exactObject, parse, parseJson } from "./parse.ts";
import { UserId } from "./tag.ts";
import { Target } from "./target.ts";

export const MessageId = v.pipe(
  v.string(),
  v.regex(/^(?!\.{1,2}$)[A-Za-z0-9._:-]{1,128}$/, "must be 1-128 of A-Z a-z 0-9 . _ : -, not . or .."),
  v.brand("MessageId"),
);
export type MessageId = v.InferOutput<typeof MessageId>;

const seconds = (least: number, most: number) =>
  v.pipe(
    v.number(),
    v.check((n) => Number.isInteger(n) && n >= least && n <= most, `must be whole seconds, ${least}-${most}`),
  );

const EventName = v.pipe(
  v.string(),
  v.minLength(1, "must not be empty"),
  v.maxLength(128, "must be at most 128 long"),
);
const Time = v.pipe(v.string(), v.check(isTime, "must be an ISO 8601 time, as in 2026-01-31T12:00:00Z"));

/** Date.parse makes March of 30 February, and nothing of an offset without minutes. */
function isTime(text: string): boolean {
  if (!v.ISO_TIMESTAMP_REGEX.test(text) || Number.isNaN(Date.parse(text))) return false;
  const day = text.slice(0, 10);
  return new Date(day).toISOString().startsWith(day);
}

/** What a producer posts. */
export const Post = v.pipe(
  exactObject({
    id: v.optional(MessageId),
    target: Target,
    event: v.optional(EventName),
    data: Data,
    priority: v.optional(v.picklist(PRIORITIES)),
    expiresAt: v.optional(Time),
    ttlSeconds: v.optional(seconds(1, TTL_SECONDS)),
    delaySeconds: v.optional(seconds(0, DELAY_SECONDS)),
    dedupeSeconds: v.optional(seconds(0, DEDUPE_SECONDS)),
  }),
  v.forward(
    v.partialCheck(
      [["expiresAt"], ["ttlSeconds"]],
      ({ expiresAt, ttlSeconds }) => !(expiresAt && ttlSeconds),
      "must not stand beside ttlSeconds",
    ),
    ["expiresAt"],
  ),
);
export type Post = v.InferOutput<typeof Post>;

/** What a lane carries, and what every stage after ingest sees. Times are milliseconds since 1970, but for `time`. */
export interface Message {
  readonly id: MessageId;
  /** The `sub` of the token it was posted with. Ids belong to it. */
  readonly producer: UserId;
  /** Tells two accepted POSTs of one id apart, and is the same on every receive of one of them. */
  readonly copy: string;
  readonly target: Target;
  readonly event?: string;
  readonly data: unknown;
  readonly priority: Priority;
  /** When ingest accepted it, ISO 8601: the frame's `time`. */
  readonly time: string;
  readonly expiresAt?: number;
  readonly dedupeSeconds: number;
}

/** One bounded piece of a delivery: a message and the range of connections to serve. No range means all of them. */
export interface Job {
  readonly message: Message;
  readonly range?: HashRange;
}

/** Who posted it, when (milliseconds), and the ids it gets where it brings none. */
export interface Acceptance {
  readonly producer: UserId;
  readonly now: number;
  readonly newId: () => string;
}

/** Turns a checked POST into the message that will be queued. */
export function messageFrom(post: Post, { producer, now, newId }: Acceptance, root = ""): Result<Message> {
  const expiresAt = post.ttlSeconds
    ? now + post.ttlSeconds * 1000
    : post.expiresAt
      ? Date.parse(post.expiresAt)
      : undefined;
  const due = now + (post.delaySeconds ?? 0) * 1000;
  const latest = now + TTL_SECONDS * 1000;
  if (expiresAt !== undefined && (expiresAt <= due || expiresAt > latest)) {
    const pointer = `${root}/${post.expiresAt ? "expiresAt" : "ttlSeconds"}`;
    const detail =
      expiresAt <= due
        ? "must be later than the moment the message is due"
        : `must be at most ${TTL_SECONDS} seconds ahead`;
    return refuse("MESSAGE_INVALID", `${pointer} ${detail}`, { errors: [{ pointer, detail }] });
  }
  const copy = newId();
  return accept({
    id: post.id ?? (copy as MessageId),
    producer,
    copy,
    target: post.target,
    ...(post.event === undefined ? {} : { event: post.event }),
    data: post.data,
    priority: post.priority ?? "normal",
    time: new Date(now).toISOString(),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    dedupeSeconds: post.dedupeSeconds ?? DEFAULT_DEDUPE_SECONDS,
  });
}

const QueuedJob = v.object({
  message: v.object({
    id: MessageId,
    producer: UserId,
    copy: v.pipe(v.string(), v.minLength(1), v.maxLength(128)),
    target: Target,
    event: v.optional(v.string()),
    data: Data,
    priority: v.picklist(PRIORITIES),
    time: Time,
    expiresAt: v.optional(v.number()),
    dedupeSeconds: seconds(0, DEDUPE_SECONDS),
  }),
  range: v.optional(v.custom<HashRange>(isHashRange, "must be a range of hashes")),
});

/** Reads a queue body. Anyone with access to the queue can write to it, so it is checked like a POST. */
export function parseJob(body: string): Result<Job> {
  const json = parseJson(body, "MESSAGE_INVALID");
  return json.ok ? (parse(QueuedJob, json.value, "MESSAGE_INVALID") as Result<Job>) : json;
}
