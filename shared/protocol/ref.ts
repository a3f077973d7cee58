import * as v from "valibot";
import { REF_LENGTH } from "./limits.ts";

/** What a client chooses to know a reply by. */
export const Ref = v.union(
  [
    v.pipe(v.string(), v.maxCodePoints(REF_LENGTH, `must be at most ${REF_LENGTH} characters long`)),
    v.pipe(v.number(), v.finite("must be a number that fits a double")),
  ],
  "must be a string or a number",
);
export type Ref = v.InferOutput<typeof Ref>;
