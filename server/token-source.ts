import { decodeJwt } from "jose";
import { RouterError } from "./errors.ts";
import { mintToken } from "./mint-token.ts";
import { isToken, type PublisherOptions } from "./options.ts";
import type { Runtime } from "./runtime.ts";

export interface TokenSource {
  /** Returns a token that holds for some time. Throws TOKEN_UNAVAILABLE if there is none. */
  get(): Promise<string>;
  /** Forgets a token that the router refused. Returns whether `get` may return another one. */
  refused(token: string): boolean;
}

/** How long before its end a token is replaced, in milliseconds. */
const MARGIN = 30_000;

/** How long a token holds that the publisher signs, in seconds. */
const TTL_SECONDS = 300;

/** The tokens of a publisher. Calls side by side share one. */
export function tokenSource(options: PublisherOptions, { now }: Pick<Runtime, "now">): TokenSource {
  const given = "token" in options ? options.token : undefined;
  if (typeof given === "string") return { get: async () => given, refused: () => false };
  // callSettings has seen that one of the two is there.
  const make = given ?? (() => signed(options as SignedOptions, now()));
  let current: { readonly token: Promise<string>; until: number } | undefined;
  const renew = () => {
    const asked = { token: obtain(make), until: Number.POSITIVE_INFINITY };
    current = asked;
    asked.token.then(
      (token) => {
        asked.until = endOf(token) - MARGIN;
      },
      () => {
        if (current === asked) current = undefined;
      },
    );
    return asked.token;
  };
  let last: string | undefined;
  return {
    async get() {
      last = await (current && now() < current.until ? current.token : renew());
      return last;
    },
    refused(token) {
      if (last === token) current = undefined;
      return true;
    },
  };
}

type Make = () => string | Promise<string>;

async function obtain(make: Make): Promise<string> {
  let token: unknown;
  try {
    token = await make();
  } catch (cause) {
    if (cause instanceof RouterError) throw cause;
    throw new RouterError("TOKEN_UNAVAILABLE", "the function that returns the token threw", { cause });
  }
  if (isToken(token)) return token;
  throw new RouterError("TOKEN_UNAVAILABLE", "the function returned no token that a header can hold");
}

type SignedOptions = Extract<PublisherOptions, { secret: string }>;

function signed(options: SignedOptions, now: number): Promise<string> {
  const { user, secret, claim } = options;
  return mintToken({
    user,
    secret,
    publish: ["*"],
    admin: true,
    ttlSeconds: TTL_SECONDS,
    issuedAt: new Date(now),
    ...(claim === undefined ? {} : { claim }),
  });
}

/** When a token expires, in milliseconds since 1970. One that cannot be read is asked for each time. */
function endOf(token: string): number {
  try {
    return (decodeJwt(token).exp ?? 0) * 1000;
  } catch {
    return 0;
  }
}
