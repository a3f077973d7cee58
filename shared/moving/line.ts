import * as v from "valibot";
import { TagwireError } from "../protocol/errors.ts";
import { FORMER_FANOUT, LANES, type Lane, laneNamed } from "../protocol/lane.ts";
import { MessageId, Time } from "../protocol/message.ts";
import { exactObject, parse, parseJson } from "../protocol/parse.ts";
import { ConnectionId, Tag, UserId } from "../protocol/tag.ts";
import { type HashRange, isHashRange } from "../receipts/hash-range.ts";
import { JOB_ENDINGS } from "../receipts/receipt.ts";
import { type Details, type ReceiptRow, ROW_VERSION } from "../receipts/row.ts";
import { ROW_MESSAGES } from "../streams/row.ts";
import type { StreamName, StreamRow } from "../streams/stream.ts";

/* The lines of an export, as docs/outgrow.md describes them. Times are milliseconds since 1970. */

/** The version of the format. A change that an earlier `tagwire import` would misread is another version. */
const EXPORT_VERSION = 1;

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
/** What the router calls an entry of its lanes. */
const Entry = v.pipe(v.string(), v.regex(/^\d{1,16}$/, "must be 1-16 digits"));
/** An export of the release before knows one fanout lane. */
const lane = v.pipe(
  v.picklist([...LANES, FORMER_FANOUT]),
  v.transform((name): Lane => laneNamed(name) ?? "normal"),
);
const text = v.string();

const Head = exactObject({
  kind: v.literal("export"),
  version: v.literal(EXPORT_VERSION),
  id: v.pipe(text, v.regex(/^[0-9-]{1,64}$/, "must be 1-64 digits and -")),
  at: whole,
});

const StreamLine = exactObject({
  kind: v.literal("stream"),
  stream: v.pipe(Tag, v.regex(/^(topic|user):/, "must be the stream of a topic or of a user")),
  row: exactObject({
    seq: whole,
    next: whole,
    messages: v.pipe(v.array(text), v.maxLength(ROW_MESSAGES)),
    run: v.optional(text),
    at: whole,
    until: whole,
    expiresAt: v.pipe(whole, v.multipleOf(1_000, "must be whole seconds")),
  }),
});

const ReceiptLine = exactObject({
  kind: v.literal("receipt"),
  row: exactObject({
    v: v.literal(ROW_VERSION),
    producer: UserId,
    id: MessageId,
    part: v.pipe(text, v.regex(/^(message$|job#)/, "must be message, or a job")),
    acceptanceId: v.optional(text),
    time: v.optional(Time),
    dedupeUntil: v.optional(whole),
    run: v.optional(text),
    leaseUntil: v.optional(whole),
    receive: v.optional(whole),
    onFinalReceive: v.optional(v.boolean()),
    deaths: v.optional(whole),
    seq: v.optional(whole),
    after: v.optional(whole),
    counts: v.optional(exactObject({ sent: whole, gone: whole, failed: whole })),
    pending: v.optional(whole),
    from: v.optional(text),
    rounds: v.optional(whole),
    details: v.optional(text),
    split: v.optional(v.array(v.custom<HashRange>(isHashRange, "must be a range of hashes"))),
    queued: v.optional(v.boolean()),
    ending: v.optional(v.picklist(JOB_ENDINGS)),
    reason: v.optional(text),
    cancelledAt: v.optional(whole),
    updatedAt: whole,
  }),
  names: v.optional(
    exactObject({
      pending: v.array(exactObject({ connectionId: ConnectionId, connectedAt: whole })),
      failed: v.array(ConnectionId),
    }),
  ),
  expiresAt: whole,
});

const DeadLetterLine = exactObject({
  kind: v.literal("dead-letter"),
  entry: Entry,
  lane: v.optional(lane),
  body: text,
  reason: v.optional(text),
  sentAt: whole,
});

const WaitingLine = exactObject({
  kind: v.literal("waiting"),
  entry: Entry,
  lane,
  body: text,
  receives: whole,
  sentAt: whole,
  delayedUntil: v.optional(whole),
});

const End = exactObject({
  kind: v.literal("end"),
  lines: whole,
  sha256: v.pipe(text, v.regex(/^[0-9a-f]{64}$/, "must be a SHA-256 in hexadecimal")),
});

/** The lines of each kind, in the order in which they stand: messages that wait come when all that they need is there. */
const SCHEMAS = {
  export: Head,
  stream: StreamLine,
  receipt: ReceiptLine,
  "dead-letter": DeadLetterLine,
  waiting: WaitingLine,
  end: End,
} as const;

export type Kind = keyof typeof SCHEMAS;

export const KINDS = Object.keys(SCHEMAS) as readonly Kind[];

interface OfStream {
  readonly kind: "stream";
  readonly stream: StreamName;
  readonly row: StreamRow;
}
interface OfReceipt {
  readonly kind: "receipt";
  readonly row: ReceiptRow;
  /** The connections that the row counts. Absent if it names none. */
  readonly names?: Details;
  /** When it is no longer kept. */
  readonly expiresAt: number;
}

export type Line =
  | v.InferOutput<typeof Head>
  | OfStream
  | OfReceipt
  | v.InferOutput<typeof DeadLetterLine>
  | v.InferOutput<typeof WaitingLine>
  | v.InferOutput<typeof End>;

/** The lines of one kind. */
export type LineOf<K extends Kind> = Extract<Line, { readonly kind: K }>;

/** Writes a line, without the line feed. */
export const textOf = (line: Line): string => JSON.stringify(line);

/** Reads a line. Throws a TagwireError (EXPORT_INVALID, EXPORT_NEWER) that says what is wrong with it. */
export function lineIn(json: string): Line {
  const found = parseJson(json, "EXPORT_INVALID");
  if (!found.ok) throw new TagwireError("EXPORT_INVALID", "is no JSON");
  const kind = fieldOf(found.value, "kind");
  if (!isKind(kind)) throw new TagwireError("EXPORT_INVALID", `is no line of an export: its kind is ${kind}`);
  if (kind === "export") checkVersion(fieldOf(found.value, "version"));
  const line = parse<v.GenericSchema>(SCHEMAS[kind], found.value, "EXPORT_INVALID");
  if (!line.ok) throw new TagwireError("EXPORT_INVALID", `is no line of an export: ${line.refusal.detail}`);
  return line.value as Line;
}

function checkVersion(version: unknown): void {
  if (typeof version !== "number" || version <= EXPORT_VERSION) return;
  throw new TagwireError(
    "EXPORT_NEWER",
    `says version ${version}, and this Tagwire reads version ${EXPORT_VERSION}; install the Tagwire that wrote it`,
  );
}

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;

const isKind = (kind: unknown): kind is Kind => typeof kind === "string" && Object.hasOwn(SCHEMAS, kind);
