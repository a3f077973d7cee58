import * as v from "valibot";
import { exactObject, parse } from "../shared/protocol/parse.ts";
import { RouterError } from "./errors.ts";

interface CallOptions {
  /** The address of the HTTP API: the stack's output `HttpUrl`, or http://127.0.0.1:3000. A path is kept. */
  readonly url: string | URL;
  /**
   * The most requests for one call, the first included. 1 never tries again.
   * @default 8
   */
  readonly maxAttempts?: number;
  /**
   * No attempt starts later than this after the first, in seconds. A message MUST have a dedupe window that is longer
   * (300 s unless it says otherwise), or an attempt whose answer was lost can deliver it twice.
   * @default 60
   */
  readonly retrySeconds?: number;
  /**
   * How long one request may take, in seconds. API Gateway answers within 30.
   * @default 35
   */
  readonly requestTimeoutSeconds?: number;
}

/** A token that somebody else signed. */
interface TokenGiven {
  /**
   * The token, or a function that returns one. The function is called for the first request, again 30 seconds before
   * the token expires, and if the router answers 401.
   */
  readonly token: string | (() => string | Promise<string>);
}

/** Tokens that the publisher signs: they grant everything, and hold for five minutes. */
interface SecretGiven {
  /** The router's secret: at least 32 bytes in UTF-8. */
  readonly secret: string;
  /** Whom the tokens speak for. Ids of messages and receipts belong to this user. */
  readonly user: string;
  /**
   * The claim that holds the grant.
   * @default tagwire
   */
  readonly claim?: string;
}

export type PublisherOptions = CallOptions & (TokenGiven | SecretGiven);

/** The options of every call, checked. The address ends in a slash. */
export interface CallSettings extends Required<Omit<CallOptions, "url">> {
  readonly url: URL;
}

const number = (least: number, most: number, what: string) =>
  v.pipe(
    v.number(),
    v.check((n) => n >= least && n <= most, `must be ${what}, ${least}-${most}`),
  );

const Options = exactObject({
  url: v.pipe(
    v.union([v.string(), v.instance(URL)]),
    v.check(
      (url) => URL.canParse(String(url)) && /^https?:$/.test(new URL(url).protocol),
      "must be an address that starts with http:// or https://",
    ),
  ),
  maxAttempts: v.optional(v.pipe(number(1, 100, "a whole number"), v.integer()), 8),
  retrySeconds: v.optional(number(0, 86_400, "seconds"), 60),
  requestTimeoutSeconds: v.optional(number(0.001, 3_600, "seconds"), 35),
  token: v.optional(v.union([v.string(), v.function()])),
  secret: v.optional(v.string()),
  user: v.optional(v.string()),
  claim: v.optional(v.string()),
});

/** Checks the options. Throws OPTIONS_INVALID that names each that is wrong. */
export function callSettings(options: PublisherOptions): CallSettings {
  const parsed = parse(Options, options, "SETTINGS_INVALID");
  if (!parsed.ok) throw new RouterError("OPTIONS_INVALID", parsed.refusal.detail);
  const {
    token,
    secret,
    user,
    url: address,
    maxAttempts,
    retrySeconds,
    requestTimeoutSeconds,
  } = parsed.value;
  if ((token === undefined) === (secret === undefined))
    throw new RouterError("OPTIONS_INVALID", "give either token, or secret and user");
  if (secret !== undefined && user === undefined)
    throw new RouterError("OPTIONS_INVALID", "/user is missing: tokens of the secret speak for a user");
  const url = new URL(address);
  // What is wrong here is not quoted: it is not for a log.
  if (url.username || url.password)
    throw new RouterError(
      "OPTIONS_INVALID",
      "/url must have no user and password: the router asks for a token",
    );
  if (typeof token === "string" && !isToken(token))
    throw new RouterError("OPTIONS_INVALID", "/token must be a text that a header can hold");
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return { url, maxAttempts, retrySeconds, requestTimeoutSeconds };
}

/** Whether this can be sent as a token. One that cannot would fail in `fetch`, which quotes it. */
export function isToken(value: unknown): value is string {
  if (typeof value !== "string") return false;
  try {
    new Headers({ authorization: `Bearer ${value}` });
    return true;
  } catch {
    return false;
  }
}
