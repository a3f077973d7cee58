import * as v from "valibot";

/** Every code a user can meet, its HTTP status, and the one-line meaning that `docs/errors.md` repeats. */
export const ERRORS = {
  BODY_NOT_JSON: { status: 400, title: "The body is not JSON." },
  MESSAGE_INVALID: { status: 400, title: "The message breaks the schema." },
  BATCH_INVALID: { status: 400, title: "The array of messages is empty or too long." },
  FRAME_INVALID: { status: 400, title: "The frame breaks the protocol." },
  TOPIC_INVALID: { status: 400, title: "The name of the topic breaks the rules." },
  TOO_MANY_TOPICS: { status: 400, title: "The connection holds as many tags as it may." },
  SUBPROTOCOL_UNSUPPORTED: { status: 400, title: "None of the offered sub-protocols is known." },
  TOKEN_MISSING: { status: 401, title: "There is no token." },
  TOKEN_INVALID: { status: 401, title: "The token cannot be trusted." },
  TOKEN_EXPIRED: { status: 401, title: "The token has expired." },
  TARGET_FORBIDDEN: { status: 403, title: "The token does not grant publishing to this target." },
  TOPIC_FORBIDDEN: { status: 403, title: "The token does not grant subscribing to this topic." },
  ORIGIN_FORBIDDEN: { status: 403, title: "Pages of this origin or host may not use the router." },
  RECEIPT_FORBIDDEN: { status: 403, title: "The token does not reach this receipt." },
  ROUTE_NOT_FOUND: { status: 404, title: "There is nothing at this address." },
  RECEIPT_NOT_FOUND: { status: 404, title: "No run has met this id yet, or it is unknown." },
  CONNECTION_UNKNOWN: { status: 404, title: "The connection is not known any more; connect again." },
  SUPERSEDED: { status: 409, title: "Another frame of the same socket changed these topics meanwhile." },
  MESSAGE_TOO_LARGE: { status: 413, title: "The frame made from the message is too large for a socket." },
  BODY_TOO_LARGE: { status: 413, title: "The body is too large." },
  CONTENT_TYPE_UNSUPPORTED: { status: 415, title: "The body must be application/json." },
  LANE_FULL: { status: 429, title: "The lane's backlog is over its limit; try later." },
  TOO_MANY_FRAMES: { status: 429, title: "The connection sends or changes too much; slow down." },
  QUEUE_UNAVAILABLE: { status: 503, title: "The queue refused the write; it is safe to send again." },
  TABLE_UNAVAILABLE: { status: 503, title: "A table could not be reached; it is safe to ask again." },
  KEYS_UNAVAILABLE: { status: 503, title: "The keys of tokens could not be read; it is safe to ask again." },
  SETTINGS_INVALID: { status: 500, title: "A setting is missing or wrong; nothing was started." },
} as const satisfies Record<string, { status: number; title: string }>;

export type ErrorCode = keyof typeof ERRORS;

/** A code as a reply has it. Any code passes: a later router may know more of them. */
export const ErrorCode = v.pipe(
  v.custom<ErrorCode>((code) => typeof code === "string"),
  v.metadata({ type: "string", pattern: "^[A-Z]+(_[A-Z]+)*$" }),
);

/** One bad field: where (a JSON pointer into the body, RFC 6901) and what would do. */
export const FieldError = v.pipe(v.object({ pointer: v.string(), detail: v.string() }), v.readonly());
export type FieldError = v.InferOutput<typeof FieldError>;

/** An expected "no": a value, never thrown. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly errors?: readonly FieldError[];
  /** Seconds after which trying again makes sense. */
  readonly retryAfter?: number;
}

export type Result<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly refusal: Refusal };

export const accept = <T>(value: T): Result<T> => ({ ok: true, value });

export const refuse = (
  code: ErrorCode,
  detail: string,
  more: Partial<Refusal> = {},
): { ok: false; refusal: Refusal } => ({
  ok: false,
  refusal: { code, detail, ...more },
});

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

export const problem = (refusal: Refusal): Problem => ({
  type: `urn:tagwire:error:${refusal.code}`,
  ...ERRORS[refusal.code],
  ...refusal,
});

/** What a fault says, whatever was thrown. */
export const messageOf = (fault: unknown): string => (fault instanceof Error ? fault.message : String(fault));

/** A fault we can name: something we depend on failed. Thrown, with the foreign error as its cause. */
export class TagwireError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, detail: string, options?: ErrorOptions) {
    super(detail, options);
    this.name = "TagwireError";
    this.code = code;
  }
}
