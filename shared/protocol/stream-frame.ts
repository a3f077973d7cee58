import * as v from "valibot";
import { CONNECTION_TAGS, LAST_MESSAGES } from "./limits.ts";
import { exactObject } from "./parse.ts";
import { Ref } from "./ref.ts";

/* What the frames of streams are made of. A stream is the kept, numbered messages of a topic or a user. */

/** What stands for the stream of the connection's own user wherever a frame names a topic. No topic has this name. */
export const OWN_STREAM = "@user";

const POSITION = `must be a position: a whole number of 0-${Number.MAX_SAFE_INTEGER}`;

/** A place in a stream: the number of the message after which a client goes on. */
export const Position = v.pipe(
  v.number(POSITION),
  v.integer(POSITION),
  v.minValue(0, POSITION),
  v.maxValue(Number.MAX_SAFE_INTEGER, POSITION),
);
export type Position = v.InferOutput<typeof Position>;

const isObject = (input: unknown): input is Readonly<Record<string, unknown>> =>
  typeof input === "object" && input !== null && !Array.isArray(input);

/**
 * Where a client stands in streams, by topic. What is no position is answered as one that no stream has, so that no
 * client hangs on what it kept. Not valibot's record, which drops a topic named `constructor`.
 */
export const Standing = v.pipe(
  v.custom<Readonly<Record<string, unknown>>>(isObject, "must be an object of topics and their positions"),
  v.check(
    (standing) => Object.keys(standing).length <= CONNECTION_TAGS,
    `must name at most ${CONNECTION_TAGS} topics`,
  ),
  v.metadata({ type: "object", maxProperties: CONNECTION_TAGS }),
);

/** How many messages before the present one a client wants. */
export const Last = v.pipe(
  v.number(),
  v.check(
    (n) => Number.isInteger(n) && n >= 1 && n <= LAST_MESSAGES,
    `must be a whole number of 1-${LAST_MESSAGES}`,
  ),
  v.metadata({ type: "integer", minimum: 1, maximum: LAST_MESSAGES }),
);

interface Beginning {
  readonly since?: unknown;
  readonly last?: unknown;
}

/** A history begins at exactly one of `since` and `last`: what `v.partialCheck` takes. */
export const ONE_BEGINNING = [
  [["since"], ["last"]],
  <Asked extends Beginning>({ since, last }: Asked) => (since === undefined) !== (last === undefined),
  "must be given, or last: exactly one of the two",
] as const;

/** Asks for messages of one stream. */
export const HistoryRequest = v.pipe(
  exactObject({
    type: v.literal("history"),
    topic: v.string(),
    since: v.optional(v.unknown()),
    last: v.optional(Last),
    ref: v.optional(Ref),
  }),
  v.forward(v.partialCheck(...ONE_BEGINNING), ["since"]),
  v.metadata({ oneOf: [{ required: ["since"] }, { required: ["last"] }] }),
);
