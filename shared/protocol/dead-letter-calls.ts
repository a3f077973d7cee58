import * as v from "valibot";
import { LANES } from "./lane.ts";
import { UserId } from "./tag.ts";

/*
 * The calls to the dead letters of a router on one machine: POST /v1/dead-letters/{call}, with a token of an admin. In an
 * account they lie in SQS, and its own API is used.
 */

const Held = v.object({ entryId: v.string(), receiptHandle: v.string() });

/** Bodies that are received or forwarded in one call at most. */
const BODIES = 10;

/** Dead letters that are released or removed in one call at most. */
export const NAMED = 1_000;

const deadLetters = v.pipe(v.array(Held), v.maxLength(NAMED));

/** What each call is given, by its name. */
export const DEAD_LETTER_CALLS = {
  receive: v.strictObject({
    limit: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(BODIES)),
    visibilitySeconds: v.pipe(v.number(), v.minValue(0), v.maxValue(43_200)),
  }),
  release: v.strictObject({ deadLetters }),
  forward: v.strictObject({
    lane: v.picklist(LANES),
    entries: v.pipe(v.array(v.strictObject({ body: v.string(), producer: UserId })), v.maxLength(BODIES)),
  }),
  remove: v.strictObject({ deadLetters }),
  size: v.strictObject({}),
} as const;

export type DeadLetterCall = keyof typeof DEAD_LETTER_CALLS;
