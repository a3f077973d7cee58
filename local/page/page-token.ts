import type { IncomingMessage, ServerResponse } from "node:http";
import { RouterError } from "../../server/errors.ts";
import { mintToken } from "../../server/mint-token.ts";
import { accept, type Result, refuse } from "../../shared/protocol/errors.ts";
import { parseJson } from "../../shared/protocol/parse.ts";
import { DEV_SECRET } from "../../shared/settings/dev-secret.ts";
import { readBody } from "../gateway/body.ts";
import type { Caller } from "../gateway/caller.ts";
import { sendJson, sendProblem } from "../gateway/reply.ts";

export interface PageTokenDeps {
  /** Absent if an issuer signs the tokens. */
  readonly secret?: string;
  /** The claim that holds the grant. */
  readonly claim: string;
}

/** How long a token of the page holds, in seconds. The client fetches another before that. */
const TTL_SECONDS = 3_600;

const BODY_BYTES = 16_384;

/**
 * Signs a token for the page: `{ user, tags }` in, `{ token }` out. It is given to the page alone, and only by a router
 * with the development secret: whoever knows that secret, and everyone does, can sign such a token without this route.
 */
export async function sendPageToken(
  { secret, claim }: PageTokenDeps,
  request: IncomingMessage,
  response: ServerResponse,
  caller: Caller,
): Promise<void> {
  const body = await readBody(request, BODY_BYTES);
  const asked = isOfPage(request, caller) ? askedOf(secret, body) : refuse("ORIGIN_FORBIDDEN", NOT_PAGE);
  if (!asked.ok) return sendProblem(response, asked.refusal);
  try {
    const grants = { subscribe: ["*"], publish: ["*"], ttlSeconds: TTL_SECONDS };
    const token = await mintToken({ ...asked.value, ...grants, claim, secret: DEV_SECRET });
    response.setHeader("cache-control", "no-store");
    sendJson(response, 200, { token });
  } catch (fault) {
    if (!(fault instanceof RouterError)) throw fault;
    sendProblem(response, { code: "MESSAGE_INVALID", detail: fault.message });
  }
}

const NOT_PAGE = "this token is for the router's own page";

/**
 * Whether a request comes from the page itself: browsers send the origin with a POST, and no page can change it. The
 * host was checked to be this machine, or one that TAGWIRE_ORIGINS lists.
 */
const isOfPage = (
  { headers: { origin, "sec-fetch-site": site } }: IncomingMessage,
  { host, isSecure }: Caller,
): boolean =>
  origin === `${isSecure ? "https" : "http"}://${host}` && (site === undefined || site === "same-origin");

function askedOf(
  secret: string | undefined,
  body: Buffer | undefined,
): Result<{ readonly user: string; readonly tags: readonly string[] }> {
  if (secret !== DEV_SECRET)
    return refuse(
      "ROUTE_NOT_FOUND",
      "this router does not take the development secret: make a token with `tagwire token`, or as its issuer does",
    );
  const json = parseJson(body?.toString() ?? "");
  if (!json.ok) return json;
  const { user, tags = [] } = (json.value ?? {}) as { readonly user?: unknown; readonly tags?: unknown };
  if (typeof user !== "string" || !Array.isArray(tags) || !tags.every((tag) => typeof tag === "string"))
    return refuse("MESSAGE_INVALID", 'send { "user": "ann", "tags": ["region:gd"] }');
  return accept({ user, tags });
}
