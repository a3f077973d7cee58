import * as v from "valibot";
import { LAST_MESSAGES } from "./limits.ts";
import { exactObject } from "./parse.ts";
import { ONE_BEGINNING } from "./stream-frame.ts";
import { Topic } from "./tag.ts";

const inDigits = (must: string, least: number, most: number) =>
  v.pipe(
    v.string(must),
    v.regex(/^\d{1,16}$/, must),
    v.transform(Number),
    v.minValue(least, must),
    v.maxValue(most, must),
  );

/** The query of GET /v1/history: one stream, and where to begin. */
export const HistoryQuery = v.pipe(
  exactObject({
    topic: v.optional(Topic),
    user: v.optional(v.literal("me")),
    since: v.optional(
      inDigits(
        `must be a position: a whole number of 0-${Number.MAX_SAFE_INTEGER}`,
        0,
        Number.MAX_SAFE_INTEGER,
      ),
    ),
    last: v.optional(inDigits(`must be a whole number of 1-${LAST_MESSAGES}`, 1, LAST_MESSAGES)),
  }),
  v.forward(
    v.partialCheck(
      [["topic"], ["user"]],
      ({ topic, user }) => (topic === undefined) !== (user === undefined),
      "must be given, or user=me: exactly one of the two",
    ),
    ["topic"],
  ),
  v.forward(v.partialCheck(...ONE_BEGINNING), ["since"]),
);
export type HistoryQuery = v.InferOutput<typeof HistoryQuery>;
