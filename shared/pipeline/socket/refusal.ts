import { type Refusal, refuse } from "../../protocol/errors.ts";
import { CONNECTION_TAGS } from "../../protocol/limits.ts";

type Refused = { readonly ok: false; readonly refusal: Refusal };

/* Refusals that several frames share. */

export const TOO_MANY_TAGS: Refused = refuse(
  "TOO_MANY_TOPICS",
  `a connection holds at most ${CONNECTION_TAGS} tags`,
);

export const GONE: Refused = refuse("CONNECTION_UNKNOWN", "this connection was closed meanwhile");

export const TOKEN_ENDED: Refused = refuse(
  "TOKEN_EXPIRED",
  "the token has expired: nothing is delivered any more; connect again with a new one",
);

export const SUPERSEDED_TOKEN: Refused = refuse(
  "SUPERSEDED",
  "another frame of this socket refreshed the token meanwhile",
);

export const tooMany = (what: string, retryAfter: number): Refused =>
  refuse("TOO_MANY_FRAMES", `too many ${what} on this connection; wait ${retryAfter} s`, { retryAfter });
