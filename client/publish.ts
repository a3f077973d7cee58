import { backoff } from "./backoff.ts";
import { ClientError } from "./error.ts";
import { fieldsOf } from "./frame.ts";
import type { Runtime } from "./runtime.ts";

/** What is published: the fields of POST /v1/messages (docs/protocol.md). */
export interface PublishRequest {
  /** 1 to 128 of `A-Z a-z 0-9 . _ : -`. Made by the client if absent, so that a try that is repeated is one message. */
  readonly id?: string;
  /** Exactly one of its fields. The token needs a grant to publish to it. */
  readonly target: PublishTarget;
  readonly event?: string;
  readonly data: unknown;
  readonly priority?: "high" | "normal" | "low";
  /** Ends the delivery, as ISO 8601. Or `ttlSeconds`. */
  readonly expiresAt?: string;
  readonly ttlSeconds?: number;
  readonly delaySeconds?: number;
  readonly dedupeSeconds?: number;
}

export type PublishTarget =
  | { readonly connection: string }
  | { readonly user: string }
  | { readonly topic: string }
  | { readonly tags: { readonly all?: string[]; readonly any?: string[]; readonly none?: string[] } }
  | { readonly everyone: true };

/** The router has stored the message. */
export interface Published {
  readonly id: string;
  readonly state: "queued";
}

export interface PublishDeps {
  readonly runtime: Runtime;
  readonly httpUrl: string;
  /** A token, a fresh one after one that was refused. Rejects if there is none. */
  token(isRefused: boolean): Promise<string>;
}

const TRIES = 4;
/** How long one try may take, in milliseconds: API Gateway answers within 30 s, and a half-open socket never does. */
const LIMIT = 35_000;
/** No try begins later than this after the first: the router has a message's id for 5 min unless it is told otherwise. */
const LATEST = 240_000;
const PASSING = /429|5\d\d/;

/** Posts one message. Rejects with a ClientError that has the router's code; what may pass is tried four times. */
export async function publish(deps: PublishDeps, request: PublishRequest): Promise<Published> {
  const { runtime, token } = deps;
  const body = JSON.stringify({ ...request, id: request.id ?? newId(runtime) });
  const retry = backoff(runtime);
  const began = runtime.now();
  const isLate = (wait: number) => runtime.now() + wait > began + LATEST;
  let isRefused = false;
  for (let tries = 1; ; tries += 1) {
    const result = await post(deps, await token(isRefused), body);
    if (!result.failure) return result.published;
    const { failure, status, seconds } = result;
    const canPass = PASSING.test(status) || (status === "401" && !isRefused);
    const wait = seconds * 1000 + retry.next();
    if (!canPass || tries === TRIES || isLate(wait)) throw failure;
    isRefused ||= status === "401";
    await new Promise<void>((resolve) => runtime.after(wait, resolve));
    // The machine may have slept.
    if (isLate(0)) throw failure;
  }
}

type Posted =
  | { readonly failure?: undefined; readonly published: Published }
  | { readonly failure: ClientError; readonly status: string; readonly seconds: number };

/** One try. A network that fails counts as a 503. */
async function post({ runtime, httpUrl }: PublishDeps, token: string, body: string): Promise<Posted> {
  const control = new AbortController();
  const stop = runtime.after(LIMIT, () => control.abort());
  try {
    const { signal } = control;
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const response = await runtime.fetch(`${httpUrl}/v1/messages`, { method: "POST", headers, body, signal });
    const { ok, status } = response;
    const answer = fieldsOf(await response.json().catch(unlessNoJson));
    if (ok && answer["state"] === "queued")
      return { published: { id: String(answer["id"]), state: "queued" } };
    const { code = "GATEWAY", detail = `HTTP status ${status}` } = answer;
    const failure = new ClientError(String(code), String(detail));
    return { failure, status: String(status), seconds: Number(response.headers.get("retry-after")) || 0 };
  } catch (cause) {
    const failure = new ClientError("UNREACHABLE", "the router cannot be reached", { cause });
    return { failure, status: "503", seconds: 0 };
  } finally {
    stop();
  }
}

const unlessNoJson = (fault: unknown): void => {
  if (!(fault instanceof SyntaxError)) throw fault;
};

/** Random, as `crypto.randomUUID` is, which pages without HTTPS lack. */
const newId = ({ random }: Runtime): string =>
  globalThis.crypto?.randomUUID?.() ?? `${random()}${random()}`.replaceAll("0.", "").replace(/\W/g, "-");
