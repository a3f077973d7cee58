import * as v from "valibot";
import type * as codes from "./codes.ts";

/** A code as a reply has it. Any code passes: a later router may know more of them. */
export const ErrorCode = v.pipe(
  v.custom<codes.ErrorCode>((code) => typeof code === "string"),
  v.metadata({ type: "string", pattern: "^[A-Z]+(_[A-Z]+)*$" }),
);
export type ErrorCode = codes.ErrorCode;

/** One bad field: where (a JSON pointer into the body, RFC 6901) and what would do. */
export const FieldError = v.pipe(v.object({ pointer: v.string(), detail: v.string() }), v.readonly());
export type FieldError = v.InferOutput<typeof FieldError>;

const Status = v.pipe(v.number(), v.integer(), v.minValue(400), v.maxValue(599));

/** A problem document (RFC 9457). */
export const Problem = v.pipe(
  v.object({
    type: v.string(),
    title: v.string(),
    status: Status,
    code: ErrorCode,
    detail: v.string(),
    errors: v.exactOptional(v.pipe(v.array(FieldError), v.readonly())),
    retryAfter: v.exactOptional(v.number()),
  }),
  v.readonly(),
);
export type Problem = v.InferOutput<typeof Problem>;
