import type { ServerResponse } from "node:http";
import type { APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import { problemHeaders } from "../../functions/runtime/http.ts";
import { problem, type Refusal } from "../../shared/protocol/errors.ts";
import type { InvocationResult } from "../invocation.ts";

/** What a router that stops says to a request. */
export const STOPPING: Refusal = {
  code: "QUEUE_UNAVAILABLE",
  detail: "the router is stopping, send it again to the next one",
  retryAfter: 5,
};

/** Sends JSON. */
export function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = JSON.stringify(value);
  const own = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
  response.writeHead(status, { ...own, ...headers }).end(body);
}

export function sendProblem(response: ServerResponse, refusal: Refusal): void {
  const document = problem(refusal);
  sendJson(response, document.status, document, problemHeaders(document.status, refusal));
}

/** What the HTTP API makes of a function's answer, or of its lack. `headers` are its own. */
export function sendInvocation(
  response: ServerResponse,
  invocation: InvocationResult<APIGatewayProxyStructuredResultV2>,
  headers: Readonly<Record<string, string>>,
): void {
  if (invocation.kind === "throttled" || invocation.kind === "overdue") {
    sendJson(response, 503, { message: "Service Unavailable" }, headers);
  } else if (invocation.kind === "returned" && invocation.value) {
    sendResult(response, invocation.value, headers);
  } else {
    sendJson(response, 500, { message: "Internal Server Error" }, headers);
  }
}

function sendResult(
  response: ServerResponse,
  {
    statusCode = 200,
    headers = {},
    body = "",
    isBase64Encoded = false,
    cookies,
  }: APIGatewayProxyStructuredResultV2,
  own: Readonly<Record<string, string>>,
): void {
  if (cookies) response.setHeader("set-cookie", cookies);
  const sent: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) sent[name.toLowerCase()] = String(value);
  Object.assign(sent, own);
  const content = isBase64Encoded ? Buffer.from(body, "base64") : body;
  if (content.length > 0) {
    // The HTTP API's default for a function that names no type.
    sent["content-type"] ??= "application/json";
    // Without its length Node would send the body in chunks.
    sent["content-length"] = String(Buffer.byteLength(content));
  }
  response.writeHead(statusCode, sent).end(content);
}
