import type { IncomingMessage, ServerResponse } from "node:http";
import { accept, type Result, refuse } from "../../shared/protocol/errors.ts";
import type { Caller } from "./caller.ts";
import type { Origins } from "./origins.ts";
import { sendProblem } from "./reply.ts";

/** Whether the page and the host name of a request may use the router. */
export function admit(
  origins: Origins,
  { headers: { origin } }: Pick<IncomingMessage, "headers">,
  { host }: Pick<Caller, "host">,
): Result<undefined> {
  if (!origins.allowsOrigin(origin))
    return refuse("ORIGIN_FORBIDDEN", `TAGWIRE_ORIGINS does not list ${origin}`);
  if (origins.allowsHost(host)) return accept(undefined);
  return refuse(
    "ORIGIN_FORBIDDEN",
    `${host} is not a loopback name, and TAGWIRE_ORIGINS does not list its origin`,
  );
}

/**
 * Does what an HTTP API with CORS does without a function: sets the headers of a response, answers a preflight and
 * refuses an origin that is not allowed. Returns true if the request has been answered.
 */
export function cors(
  origins: Origins,
  request: IncomingMessage,
  response: ServerResponse,
  caller: Caller,
): boolean {
  const { origin } = request.headers;
  const admitted = admit(origins, request, caller);
  if (!admitted.ok) {
    sendProblem(response, admitted.refusal);
    return true;
  }
  if (origin === undefined) return false;
  response.setHeader("access-control-allow-origin", origin);
  response.setHeader("vary", "origin");
  response.setHeader("access-control-expose-headers", EXPOSED);
  if (request.method !== "OPTIONS") return false;
  response.writeHead(204, PREFLIGHT).end();
  return true;
}

/** What a page may read, as in the stack. */
const EXPOSED = "retry-after,location";

/** What a page may send, as in the stack. */
const PREFLIGHT = {
  "access-control-allow-methods": "GET,POST,DELETE,OPTIONS",
  "access-control-allow-headers": "authorization,content-type,traceparent,tracestate,idempotency-key",
  "access-control-max-age": "300",
};
