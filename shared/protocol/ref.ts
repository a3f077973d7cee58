import * as v from "valibot";
import { REF_LENGTH } from "./limits.ts";
import { text } from "./text.ts";

/** What a client chooses to know a reply by. */
export const Ref = v.union(
  [text(REF_LENGTH), v.pipe(v.number(), v.finite("must be a number that fits a double"))],
  "must be a string or a number",
);
export type Ref = v.InferOutput<typeof Ref>;
