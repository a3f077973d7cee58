import { randomUUID } from "node:crypto";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { asyncApi } from "../../shared/api/asyncapi.ts";
import { openApi } from "../../shared/api/openapi.ts";
import type { Clock } from "../../shared/ports.ts";
import type { Backend, Invocable } from "../backend.ts";
import type { Limits } from "../limits.ts";
import type { Page } from "../page/page.ts";
import { readBody } from "./body.ts";
import type { Caller, CallerOf } from "./caller.ts";
import { cors } from "./cors.ts";
import { httpEvent, type Match } from "./http-event.ts";
import type { Origins } from "./origins.ts";
import { answerProbe, isProbe, type ProbesDeps } from "./probes.ts";
import type { Quota } from "./quota.ts";
import { STOPPING, sendInvocation, sendJson, sendProblem } from "./reply.ts";

export interface HttpApiDeps extends ProbesDeps, Pick<Backend, "refusalOf"> {
  readonly ingest: Pick<Invocable<"ingest">, "invoke">;
  readonly receipts: Pick<Invocable<"receipts">, "invoke">;
  readonly closing: Pick<Invocable<"connections">, "invoke">;
  readonly clock: Pick<Clock, "now">;
  readonly limits: Pick<Limits, "bodyBytes">;
  readonly quota: Quota;
  readonly origins: Origins;
  readonly callerOf: CallerOf;
  /** What else answers requests: each returns whether it did. */
  readonly others: readonly Page["serve"][];
  /** What `GET /metrics` answers. */
  readonly metrics: () => Promise<{ readonly type: string; readonly text: string }>;
}

/**
 * The HTTP API in front of ingest, receipts and connections, and what only this runtime has: its page, its documents,
 * its probes and /metrics.
 */
export function httpApi(deps: HttpApiDeps): RequestListener {
  return (request, response) => {
    const destroy = () => response.destroy();
    if (deps.stopping()) response.setHeader("connection", "close");
    if (isProbe(request)) return void answerProbe(deps, request, response).catch(destroy);
    const caller = deps.callerOf(request);
    if (cors(deps.origins, request, response, caller)) return;
    if (deps.stopping()) return sendProblem(response, STOPPING);
    serve(deps, request, response, caller).catch(destroy);
  };
}

async function serve(
  deps: HttpApiDeps,
  request: IncomingMessage,
  response: ServerResponse,
  caller: Caller,
): Promise<void> {
  const { method = "GET", url = "/" } = request;
  const query = url.indexOf("?");
  const path = query < 0 ? url : url.slice(0, query);
  if (method === "POST" && path === "/v1/messages")
    return invoke(deps, deps.ingest, request, response, caller, INGEST);
  const id = (method === "GET" || method === "DELETE") && MESSAGE.exec(path)?.[1];
  if (id) {
    const match = { routeKey: `${method} /v1/messages/{id}`, pathParameters: { id: decode(id) } };
    return invoke(deps, deps.receipts, request, response, caller, match);
  }
  const closed = method === "DELETE" && closedBy(path);
  if (closed) return invoke(deps, deps.closing, request, response, caller, closed);
  if (method === "GET" && path === "/v1/history") {
    return invoke(deps, deps.receipts, request, response, caller, { routeKey: "GET /v1/history" });
  }
  if (method === "GET" && path === "/metrics") {
    const { type, text } = await deps.metrics();
    response.writeHead(200, { "content-type": type }).end(text);
    return;
  }
  const document = method === "GET" && DOCUMENTS.get(path);
  if (document) return sendJson(response, 200, document());
  for (const others of deps.others) if (await others(request, response, path, caller)) return;
  sendProblem(response, { code: "ROUTE_NOT_FOUND", detail: `there is no ${method} ${path}` });
}

/** Made once: it takes as long as twenty messages do, and needs no token. */
function once(make: () => object): () => object {
  let made: object | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

const DOCUMENTS = new Map([
  ["/v1/openapi.json", once(openApi)],
  ["/v1/asyncapi.json", once(asyncApi)],
]);
const INGEST: Match = { routeKey: "POST /v1/messages" };
const MESSAGE = /^\/v1\/messages\/([^/]+)$/;

const USER_CONNECTIONS = /^\/v1\/users\/([^/]+)\/connections$/;
const CONNECTION = /^\/v1\/connections\/([^/]+)$/;

/** The route of a request to disconnect. */
function closedBy(path: string): Match | undefined {
  const user = USER_CONNECTIONS.exec(path)?.[1];
  if (user)
    return { routeKey: "DELETE /v1/users/{user}/connections", pathParameters: { user: decode(user) } };
  const id = CONNECTION.exec(path)?.[1];
  return id ? { routeKey: "DELETE /v1/connections/{id}", pathParameters: { id: decode(id) } } : undefined;
}

async function invoke(
  { clock, limits, quota, refusalOf }: HttpApiDeps,
  target: Pick<Invocable<"ingest">, "invoke">,
  request: IncomingMessage,
  response: ServerResponse,
  caller: Caller,
  match: Match,
): Promise<void> {
  if (!quota.take()) {
    request.resume();
    return sendJson(response, 429, { message: "Too Many Requests" });
  }
  const requestId = randomUUID();
  const own = { "apigw-requestid": requestId };
  // Whoever has no token fills no memory with a body.
  const refused = await refusalOf?.(request);
  if (refused) return sendInvocation(response, { kind: "returned", value: refused }, own);
  const body = await readBody(request, limits.bodyBytes);
  if (body === undefined) {
    const detail = `the body must be at most ${limits.bodyBytes} bytes`;
    return sendProblem(response, { code: "BODY_TOO_LARGE", detail });
  }
  const event = httpEvent(request, match, body, { requestId, caller, now: clock.now() });
  sendInvocation(response, await target.invoke(event), own);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
