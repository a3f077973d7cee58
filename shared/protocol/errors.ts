import { ERRORS, type ErrorCode } from "./codes.ts";
import type { FieldError, Problem } from "./problem.ts";

export { ERRORS, type ErrorCode } from "./codes.ts";
export type { FieldError, Problem } from "./problem.ts";

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

export const problem = (refusal: Refusal): Problem => ({
  type: `urn:tagwire:error:${refusal.code}`,
  ...ERRORS[refusal.code],
  ...refusal,
});

/** What a fault says, whatever was thrown. */
export const messageOf = (fault: unknown): string => (fault instanceof Error ? fault.message : String(fault));

/** What a record of the log says of a fault: its name and message. A stack says nothing that they do not, and is long. */
export const faultFields = (fault: unknown): { readonly fault?: string } => {
  if (fault === undefined) return {};
  return { fault: fault instanceof Error ? `${fault.name}: ${fault.message}` : String(fault) };
};

/** A fault we can name: something we depend on failed. Thrown, with the foreign error as its cause. */
export class TagwireError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, detail: string, options?: ErrorOptions) {
    super(detail, options);
    this.name = "TagwireError";
    this.code = code;
  }
}
