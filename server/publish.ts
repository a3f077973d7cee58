import type * as v from "valibot";
import { problem, refuse } from "../shared/protocol/errors.ts";
import { BODY_BYTES } from "../shared/protocol/limits.ts";
import type { PublishRequest } from "../shared/protocol/message.ts";
import type { Problem } from "../shared/protocol/problem.ts";
import { fits, split } from "./batch.ts";
import { errorOf, RouterError } from "./errors.ts";
import {
  failureOf,
  isObject,
  isPassing,
  isPassingStatus,
  isProblem,
  type Outcome,
  type RequestDeps,
  retryAfterIn,
  retrying,
  send,
} from "./request.ts";

/** A message to publish, as `docs/protocol.md` describes it. An id is made if it has none. */
export type OutgoingMessage = v.InferInput<typeof PublishRequest>;

/** The router stores the message: it reaches one ending, which its receipt names. */
export interface QueuedMessage {
  readonly id: string;
  readonly state: "queued";
}

/** What became of one message of an array. */
export type PublishResult =
  | QueuedMessage
  /** The router refused the message and does not store it. */
  | { readonly id: string; readonly state: "refused"; readonly problem: Problem }
  /** It is not known whether the router stores the message. Publishing it again with this id is safe. */
  | { readonly id: string; readonly state: "failed"; readonly error: RouterError };

interface Outgoing {
  readonly id: string;
  readonly text: string;
}

/**
 * Publishes messages in order, one request at a time. Returns a result for each, in order. After a request that failed
 * as a whole nothing more is sent: the rest has the same result. Throws only before anything is sent: for a message that
 * has no JSON, and if there is no token.
 */
export async function publishAll(
  deps: RequestDeps,
  messages: readonly OutgoingMessage[],
  signal?: AbortSignal,
): Promise<readonly PublishResult[]> {
  const outgoing = messages.map((message) => outgoingOf(deps, message));
  const results: PublishResult[] = [];
  let stop: Failure | undefined;
  for (const { from, to } of split(outgoing.map(({ text }) => Buffer.byteLength(text)))) {
    const batch = outgoing.slice(from, to);
    const done: BatchResult = stop
      ? allOf(batch, stop)
      : await publishBatch(deps, batch, inArray, signal).catch((fault: unknown) => {
          if (from === 0 || !(fault instanceof RouterError)) throw fault;
          return allOf(batch, { state: "failed", error: fault });
        });
    results.push(...done.results);
    stop = done.stop;
  }
  return results;
}

/**
 * Publishes one message. Throws a RouterError if the router does not say that it stores it: with the code of its
 * problem document, or with one of this package.
 */
export async function publish(
  deps: RequestDeps,
  message: OutgoingMessage,
  signal?: AbortSignal,
): Promise<QueuedMessage> {
  const { results } = await publishBatch(deps, [outgoingOf(deps, message)], alone, signal);
  const [result] = results;
  if (result?.state === "queued") return result;
  throw result?.state === "refused" ? errorOf(result.problem) : result?.error;
}

type Failure =
  | { readonly state: "refused"; readonly problem: Problem }
  | { readonly state: "failed"; readonly error: RouterError };

interface BatchResult {
  readonly results: readonly PublishResult[];
  /** Why the request failed as a whole, for a reason that is not its messages': the next one would too. */
  readonly stop?: Failure;
}

/** How messages stand in a body. */
type BodyOf = (texts: readonly string[]) => string;
const inArray: BodyOf = (texts) => `[${texts.join()}]`;
const alone: BodyOf = ([text = ""]) => text;

function outgoingOf({ runtime }: RequestDeps, message: OutgoingMessage): Outgoing {
  const id = message.id ?? runtime.newId();
  return { id, text: JSON.stringify({ ...message, id }) };
}

const allOf = (batch: readonly Outgoing[], stop: Failure): BatchResult => ({
  results: batch.map(({ id }) => ({ id, ...stop })),
  stop,
});

async function publishBatch(
  deps: RequestDeps,
  batch: readonly Outgoing[],
  bodyOf: BodyOf,
  signal: AbortSignal | undefined,
): Promise<BatchResult> {
  if (batch.some(({ text }) => !fits(Buffer.byteLength(text))))
    return { results: allOf(batch, TOO_LARGE).results };
  const results = new Map<Outgoing, PublishResult>();
  const settle = (some: readonly Outgoing[], failure: Failure) => {
    for (const message of some) results.set(message, { id: message.id, ...failure });
  };
  /** The router may have stored these: the answer to an attempt was lost. */
  const doubtful = new Set<Outgoing>();
  let open = batch;
  let stop: Failure | undefined;
  const attempt = async () => {
    const body = bodyOf(open.map(({ text }) => text));
    const outcome = await send(deps, { method: "POST", path: "v1/messages", body }, signal);
    const items = itemsIn(outcome, open.length);
    stop = items ? undefined : failureIn(outcome);
    if (stop) settle(open, stop);
    if (stop?.state === "failed") for (const message of open) doubtful.add(message);
    items?.forEach((item, i) => {
      const message = open[i];
      if (message) results.set(message, resultOf(message.id, item));
    });
    const again = items ? open.filter((message) => isPassingResult(results.get(message))) : open;
    open = items || isPassing(outcome) ? again : [];
    const waits = open.map((message) => waitOf(results.get(message)));
    const retryAfterSeconds = Math.max(0, retryAfterIn(outcome) ?? 0, ...waits);
    return { value: undefined, again: open.length > 0, retryAfterSeconds };
  };
  try {
    await retrying(deps, signal, attempt);
  } catch (fault) {
    const isFirst = results.size === 0;
    if (!(fault instanceof RouterError) || (isFirst && fault.code !== "ABORTED")) throw fault;
    stop = { state: "failed", error: fault };
    settle(open, stop);
  }
  const resultFor = (message: Outgoing): PublishResult[] => {
    const result = results.get(message);
    if (!result) return [];
    return [doubtful.has(message) ? inDoubt(result) : result];
  };
  return { results: batch.flatMap(resultFor), ...(stop ? { stop } : {}) };
}

/** A refusal of one attempt tells nothing about another, unless it is for what the message is. */
function inDoubt(result: PublishResult): PublishResult {
  if (result.state !== "refused") return result;
  const { id, problem } = result;
  const canDiffer = isPassingStatus(problem.status) || problem.status === 401;
  return canDiffer ? { id, state: "failed", error: errorOf(problem) } : result;
}

const TOO_LARGE: Failure = {
  state: "refused",
  problem: problem(refuse("BODY_TOO_LARGE", `a body has at most ${BODY_BYTES} bytes`).refusal),
};

/** The router's word on each message. Undefined if the response has none. */
function itemsIn(outcome: Outcome, count: number): readonly unknown[] | undefined {
  if (outcome.kind === "unreachable") return undefined;
  const { body, status } = outcome;
  if (Array.isArray(body)) return body.length === count ? body : undefined;
  return status === 202 && count === 1 ? [body] : undefined;
}

/** A problem document says that nothing is stored. Any other failure leaves it open. */
function failureIn(outcome: Outcome): Failure {
  if (outcome.kind === "unreachable") return { state: "failed", error: outcome.error };
  const error = failureOf(outcome);
  return error.problem ? { state: "refused", problem: error.problem } : { state: "failed", error };
}

function resultOf(id: string, item: unknown): PublishResult {
  if (isObject(item) && item["state"] === "queued") return { id, state: "queued" };
  if (isObject(item) && item["state"] === "refused" && isProblem(item["problem"]))
    return { id, state: "refused", problem: item["problem"] };
  const error = new RouterError("RESPONSE_INVALID", "the router's response has no result for this message");
  return { id, state: "failed", error };
}

const isPassingResult = (result: PublishResult | undefined): boolean =>
  result?.state === "refused" && isPassingStatus(result.problem.status);

const waitOf = (result: PublishResult | undefined): number =>
  result?.state === "refused" ? (result.problem.retryAfter ?? 0) : 0;
