import type { RouterError } from "../server/errors.ts";
import { isObject } from "../server/request.ts";
import type { FieldError } from "../shared/protocol/errors.ts";

/** Why a command could not do what it was asked, in one line. It ends the command with exit code 1. */
export class Failure extends Error {
  constructor(reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.name = "Failure";
  }
}

/** A command line that cannot be carried out as it stands. It ends the command with exit code 2. */
export class UsageError extends Failure {
  override name = "UsageError";
}

/** The parts of a refusal or a problem document that a reader needs. */
export interface Reason {
  readonly code: string;
  readonly detail: string;
  readonly errors?: readonly FieldError[];
}

/** `CODE: detail`, and the bad fields that the detail does not name already. */
export function reasonLine({ code, detail, errors = [] }: Reason): string {
  const unnamed = errors
    .map((field) => `${field.pointer} ${field.detail}`)
    .filter((text) => !detail.includes(text));
  return `${code}: ${detail}${unnamed.length > 0 ? ` (${unnamed.join("; ")})` : ""}`;
}

/** What may help a caller whose token the router does not trust. */
export const hintFor = (status: number): string =>
  status === 401 ? "; set TAGWIRE_TOKEN, or TAGWIRE_SECRET to the router's secret" : "";

/** What may help a caller who gets no answer. */
export const UNREACHABLE_HINT = "; start one there with `tagwire start`, or set TAGWIRE_URL to where it is";

/** Why a call of the router failed, in one line, and what may help. */
export const routerErrorLine = ({ code, problem, message, status = 0 }: RouterError): string =>
  (problem ? reasonLine(problem) : message) + routerHint(code, status);

function routerHint(code: RouterError["code"], status: number): string {
  if (code === "ROUTER_UNREACHABLE") return UNREACHABLE_HINT;
  // API Gateway says no more than 401 and 403 for a token.
  const isElsewhere = code === "RESPONSE_INVALID" && status !== 401 && status !== 403;
  return isElsewhere ? "; check that TAGWIRE_URL names a router" : hintFor(status);
}

/** Whether this is a problem document or an error frame, with a code of ours. */
export const isReason = (value: unknown): value is Reason =>
  isObject(value) && typeof value.code === "string" && typeof value.detail === "string";

/** Why the first of the topics that a `subscribed` frame refuses was refused. Undefined if it refuses none. */
export function firstRefusal(frame: Readonly<Record<string, unknown>>): string | undefined {
  const [first] = Array.isArray(frame["refused"]) ? frame["refused"] : [];
  return isObject(first) && isReason(first) ? `${reasonLine(first)} (${first["topic"]})` : undefined;
}

/** Returns what tells of a package that is not there: an optional peer, which few who have the command need. */
export const missing =
  (why: string, packages: string) =>
  (cause: unknown): never => {
    if (!(cause instanceof Error && "code" in cause && cause.code === "ERR_MODULE_NOT_FOUND")) throw cause;
    throw new Failure(`${why} that a router does not need: npm install ${packages}`, { cause });
  };
