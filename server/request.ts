import { parseJson } from "../shared/protocol/parse.ts";
import type { Problem } from "../shared/protocol/problem.ts";
import { delayBefore, retryAfterOf } from "./backoff.ts";
import { errorOf, RouterError } from "./errors.ts";
import type { CallSettings } from "./options.ts";
import type { Runtime } from "./runtime.ts";
import type { TokenSource } from "./token-source.ts";

export interface RequestDeps {
  readonly runtime: Runtime;
  readonly settings: CallSettings;
  readonly tokens: TokenSource;
}

export interface Request {
  readonly method: "GET" | "POST" | "DELETE";
  /** Below the router's address, without a slash at its beginning. */
  readonly path: string;
  /** JSON. */
  readonly body?: string;
}

/** A response. `body` is its JSON, or undefined if it is none. */
export interface Response {
  readonly kind: "response";
  readonly status: number;
  readonly body: unknown;
  readonly retryAfterSeconds?: number;
}

/** What became of one request: a response, whatever its status, or none. */
export type Outcome = Response | { readonly kind: "unreachable"; readonly error: RouterError };

/** One attempt of a call. */
export interface Attempt<T> {
  readonly value: T;
  /** Whether another attempt may do better. */
  readonly again: boolean;
  readonly retryAfterSeconds?: number | undefined;
}

/** Makes attempts until one is final, or the policy allows no more. Returns the value of the last one. */
export async function retrying<T>(
  { runtime, settings }: Pick<RequestDeps, "runtime" | "settings">,
  signal: AbortSignal | undefined,
  attempt: () => Promise<Attempt<T>>,
): Promise<T> {
  const began = runtime.monotonic();
  const elapsed = () => runtime.monotonic() - began;
  for (let attempts = 1; ; attempts++) {
    const { value, again, retryAfterSeconds } = await attempt();
    if (!again) return value;
    const soFar = { attempts, elapsed: elapsed(), retryAfterSeconds };
    const delay = delayBefore(settings, soFar, runtime.random());
    if (delay === undefined) return value;
    await orAborted(signal, () => runtime.pause(delay, signal));
    // A timer may be late by hours: the process was frozen.
    if (elapsed() > settings.retrySeconds * 1000) return value;
  }
}

/** Makes a call, with retries. Throws ROUTER_UNREACHABLE, TOKEN_UNAVAILABLE and ABORTED. */
export async function call(
  deps: RequestDeps,
  request: Request,
  signal: AbortSignal | undefined,
): Promise<Response> {
  const outcome = await retrying(deps, signal, async () => {
    const value = await send(deps, request, signal);
    return { value, again: isPassing(value), retryAfterSeconds: retryAfterIn(value) };
  });
  if (outcome.kind === "unreachable") throw outcome.error;
  return outcome;
}

/** Makes one request; a second one with a fresh token if the router refuses the first one's. */
export async function send(
  deps: RequestDeps,
  request: Request,
  signal: AbortSignal | undefined,
): Promise<Outcome> {
  const token = await untilAborted(signal, deps.tokens.get());
  const outcome = await sendWith(token, deps, request, signal);
  if (outcome.kind === "unreachable" || outcome.status !== 401 || !deps.tokens.refused(token)) return outcome;
  const fresh = await untilAborted(signal, deps.tokens.get());
  return fresh === token ? outcome : sendWith(fresh, deps, request, signal);
}

async function sendWith(
  token: string,
  { runtime, settings: { url, requestTimeoutSeconds } }: RequestDeps,
  { method, path, body }: Request,
  signal: AbortSignal | undefined,
): Promise<Outcome> {
  const timeout = AbortSignal.timeout(Math.ceil(requestTimeoutSeconds * 1000));
  try {
    const response = await runtime.fetch(new URL(path, url), {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body }),
      // A redirect would send the token to another address, and a POST as a GET.
      redirect: "manual",
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
    const json = parseJson(await response.text());
    const retryAfterSeconds = retryAfterOf(response.headers.get("retry-after"), runtime.now());
    return {
      kind: "response",
      status: response.status,
      body: json.ok ? json.value : undefined,
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    };
  } catch (cause) {
    if (signal?.aborted) throw aborted(signal);
    const why = timeout.aborted ? `no response within ${requestTimeoutSeconds} s` : causeOf(cause);
    const error = new RouterError("ROUTER_UNREACHABLE", `cannot reach ${url.origin}: ${why}`, { cause });
    return { kind: "unreachable", error };
  }
}

/** The error that a response which is no success stands for. */
export function failureOf({ status, body }: Response): RouterError {
  if (isProblem(body)) return errorOf(body, status);
  const code = isPassingStatus(status) ? "ROUTER_UNAVAILABLE" : "RESPONSE_INVALID";
  return new RouterError(code, `the router answered ${status}`, { status });
}

/** Whether the same request can have another outcome a little later. */
export const isPassing = (outcome: Outcome): boolean =>
  outcome.kind === "unreachable" || isPassingStatus(outcome.status);

/** 429 and 503 are the router's and API Gateway's, the others a Lambda function's that crashed or timed out. */
export const isPassingStatus = (status: number): boolean => [429, 500, 502, 503, 504].includes(status);

export const retryAfterIn = (outcome: Outcome): number | undefined =>
  outcome.kind === "response" ? outcome.retryAfterSeconds : undefined;

/** Whether this is a problem document with a code. */
export const isProblem = (value: unknown): value is Problem =>
  isObject(value) && typeof value["code"] === "string" && typeof value["detail"] === "string";

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Runs `work`. Throws ABORTED if it fails and the signal has aborted. */
export async function orAborted<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (fault) {
    throw signal?.aborted ? aborted(signal) : fault;
  }
}

/** Waits for what knows no signal. Throws ABORTED as soon as the signal aborts. */
function untilAborted<T>(signal: AbortSignal | undefined, work: Promise<T>): Promise<T> {
  if (!signal) return work;
  // Many calls may share a signal: Node warns of more than ten listeners.
  const own = AbortSignal.any([signal]);
  return new Promise((resolve, reject) => {
    const stop = () => reject(aborted(own));
    if (own.aborted) stop();
    own.addEventListener("abort", stop);
    work.then(resolve, reject).finally(() => own.removeEventListener("abort", stop));
  });
}

const aborted = ({ reason }: AbortSignal): RouterError =>
  new RouterError("ABORTED", "the call was aborted", { cause: reason });

/** Why a network call failed, in a word or a sentence: ECONNREFUSED, or what the innermost error says. */
export function causeOf(fault: unknown): string {
  if (!(fault instanceof Error)) return String(fault);
  if ("code" in fault && typeof fault.code === "string") return fault.code;
  return fault.cause instanceof Error ? causeOf(fault.cause) : fault.message;
}
