import * as v from "valibot";
import { Data } from "./data.ts";
import { accept, type Result, refuse } from "./errors.ts";
import { PRIORITIES, type Priority } from "./lane.ts";
import { DEDUPE_SECONDS, DEFAULT_DEDUPE_SECONDS, DELAY_SECONDS, TTL_SECONDS } from "./limits.ts";
import { exactObject } from "./parse.ts";
import type { UserId } from "./tag.ts";
import { Target } from "./target.ts";
import { text } from "./text.ts";
import type { Traceparent } from "./traceparent.ts";

export const MessageId = v.pipe(
  v.string(),
  v.regex(/^(?!\.{1,2}$)[A-Za-z0-9._:-]{1,128}$/, "must be 1-128 of A-Z a-z 0-9 . _ : -, not . or .."),
  v.brand("MessageId"),
);
export type MessageId = v.InferOutput<typeof MessageId>;

export const seconds = (least: number, most: number) =>
  v.pipe(
    v.number(),
    v.check((n) => Number.isInteger(n) && n >= least && n <= most, `must be whole seconds, ${least}-${most}`),
    v.metadata({ type: "integer", minimum: least, maximum: most }),
  );

const EventName = v.pipe(text(128), v.minLength(1, "must not be empty"));
/** The form of a time that RFC 3339 shares with ISO 8601, and each language can write. */
const TIME_PATTERN = "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:[0-5]\\d(\\.\\d{1,9})?(Z|[+-]\\d\\d:\\d\\d)$";

/** An ISO 8601 time that is a day of the calendar. */
export const Time = v.pipe(
  v.string(),
  v.check(isTime, "must be an ISO 8601 time, as in 2026-01-31T12:00:00Z"),
  v.metadata({ format: "date-time", pattern: TIME_PATTERN }),
);

/** Date.parse makes March of 30 February, and nothing of an offset without minutes. */
function isTime(text: string): boolean {
  if (!v.ISO_TIMESTAMP_REGEX.test(text) || Number.isNaN(Date.parse(text))) return false;
  const day = text.slice(0, 10);
  return new Date(day).toISOString().startsWith(day);
}

/** What a producer posts. */
export const PublishRequest = v.pipe(
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
  v.metadata({ not: { required: ["expiresAt", "ttlSeconds"] } }),
);
export type PublishRequest = v.InferOutput<typeof PublishRequest>;

/** What a lane carries, and what every stage after ingest sees. Times are milliseconds since 1970, but for `time`. */
export interface Message {
  readonly id: MessageId;
  /** The `sub` of the token it was posted with. Ids belong to it. */
  readonly producer: UserId;
  /** Tells two accepted POSTs of one id apart, and is the same on every receive of one of them. */
  readonly acceptanceId: string;
  readonly target: Target;
  readonly event?: string;
  readonly data: unknown;
  readonly priority: Priority;
  /** When ingest accepted it, ISO 8601: the frame's `time`. */
  readonly time: string;
  /** From then on it is not delivered. Every message has an end before its queue drops it. */
  readonly expiresAt: number;
  readonly dedupeSeconds: number;
  /** What its receipt keeps, as the settings said when it was accepted. Absent: all. */
  readonly keeps?: "failures";
  /** When a delayed message is to be delivered. Absent if it is not delayed. */
  readonly dueAt?: number;
  /** The trace that the POST belongs to. */
  readonly traceparent?: Traceparent;
}

/** When it was accepted, in milliseconds since 1970. */
export const acceptedAt = ({ time }: Pick<Message, "time">): number => Date.parse(time);

/** Who posted it, when (milliseconds), and the ids it gets if it brings none. */
export interface Acceptance {
  readonly producer: UserId;
  readonly now: number;
  readonly newId: () => string;
  /** Seconds that a message without a deadline of its own lives: less than its queue keeps it. */
  readonly lifeSeconds: number;
  /** Whether the receipt of a message that brings no id keeps failures only. @default false */
  readonly failureReceiptsOnly?: boolean;
  readonly traceparent?: Traceparent | undefined;
}

/** Turns a checked POST into the message that will be queued. */
export function messageFrom(post: PublishRequest, acceptance: Acceptance, root = ""): Result<Message> {
  const { producer, now, newId, lifeSeconds, failureReceiptsOnly = false, traceparent } = acceptance;
  const asked = post.ttlSeconds
    ? now + post.ttlSeconds * 1000
    : post.expiresAt
      ? Date.parse(post.expiresAt)
      : undefined;
  const latest = now + lifeSeconds * 1000;
  const due = now + (post.delaySeconds ?? 0) * 1000;
  if (asked !== undefined && (asked <= due || asked > latest)) {
    const pointer = `${root}/${post.expiresAt ? "expiresAt" : "ttlSeconds"}`;
    const detail =
      asked <= due
        ? "must be later than the moment the message is due"
        : `must be at most ${lifeSeconds} seconds ahead`;
    return refuse("MESSAGE_INVALID", `${pointer} ${detail}`, { errors: [{ pointer, detail }] });
  }
  const acceptanceId = newId();
  return accept({
    id: post.id ?? (acceptanceId as MessageId),
    producer,
    acceptanceId,
    target: post.target,
    ...(post.event === undefined ? {} : { event: post.event }),
    data: post.data,
    priority: post.priority ?? "normal",
    time: new Date(now).toISOString(),
    expiresAt: asked ?? latest,
    dedupeSeconds: post.dedupeSeconds ?? DEFAULT_DEDUPE_SECONDS,
    ...(failureReceiptsOnly && post.id === undefined ? { keeps: "failures" } : {}),
    ...(due > now ? { dueAt: due } : {}),
    ...(traceparent === undefined ? {} : { traceparent }),
  });
}
