import type { ErrorCode, Problem } from "../shared/protocol/problem.ts";

/** The codes of this package, and what happened. `docs/server.md` repeats them. */
export const CODES = {
  ROUTER_UNREACHABLE: "no response came: a network fault or a timeout, after every attempt",
  ROUTER_UNAVAILABLE: "429 or 5xx from something in front of the router, after every attempt",
  RESPONSE_INVALID: "a response that is not a router's: the URL leads elsewhere",
  TOKEN_UNAVAILABLE:
    "the function that returns the token threw, and `cause` has its error; or it returned none",
  SECRET_INVALID: "the secret has less than 32 bytes",
  OPTIONS_INVALID: "an option of `publisher` is unknown, missing or wrong",
  ENDING_UNEXPECTED: "the message ended, and not as `waitFor` was told",
  WAIT_TIMED_OUT: "the message has not ended within `timeoutSeconds`",
  DISCONNECT_INCOMPLETE: "connections are left that `disconnect` could not close yet",
  ABORTED: "`signal` aborted; `cause` has its reason",
} as const;

/** Why a call failed: a code of the router's own (`docs/errors.md`), or one of this package. */
export type RouterErrorCode = ErrorCode | keyof typeof CODES;

export interface RouterErrorDetails extends ErrorOptions {
  readonly problem?: Problem;
  readonly status?: number;
}

/** A call of the router that failed. Its message is one line and has no token in it. */
export class RouterError extends Error {
  override readonly name = "RouterError";
  readonly code: RouterErrorCode;
  /** The router's problem document (RFC 9457). Absent if the router sent none. */
  declare readonly problem?: Problem;
  /** The status of the last response. Absent if there was none. */
  declare readonly status?: number;

  constructor(
    code: RouterErrorCode,
    message: string,
    { problem, status, ...options }: RouterErrorDetails = {},
  ) {
    super(message, options);
    this.code = code;
    if (problem !== undefined) this.problem = problem;
    if (status !== undefined) this.status = status;
  }
}

/** The error that a problem document stands for. */
export const errorOf = (problem: Problem, status: number = problem.status): RouterError =>
  new RouterError(problem.code, problem.detail, { problem, status });
