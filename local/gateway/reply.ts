import type { ServerResponse } from "node:http";
import type { APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import { problem, type Refusal } from "../../shared/protocol/errors.ts";
import type { InvocationResult } from "../invocation.ts";

/** Sends JSON; `type` is its media type. */
export function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  type = "application/json",
): void {
  const body = JSON.stringify(value);
  response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(body) }).end(body);
}

export function sendProblem(response: ServerResponse, refusal: Refusal): void {
  const { retryAfter } = refusal;
  if (retryAfter !== undefined) response.setHeader("retry-after", retryAfter);
  const document = problem(refusal);
  sendJson(response, document.status, document, "application/problem+json");
}

/** What the HTTP API makes of a function's answer, or of its lack. */
export function sendInvocation(
  response: ServerResponse,
  invocation: InvocationResult<APIGatewayProxyStructuredResultV2>,
): void {
  if (invocation.kind === "throttled" || invocation.kind === "overdue") {
    sendJson(response, 503, { message: "Service Unavailable" });
  } else if (invocation.kind === "returned" && invocation.value) {
    sendResult(response, invocation.value);
  } else {
    sendJson(response, 500, { message: "Internal Server Error" });
  }
}

function sendResult(response: ServerResponse, result: APIGatewayProxyStructuredResultV2): void {
  const { statusCode = 200, headers = {}, body = "", isBase64Encoded = false, cookies } = result;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, String(value));
  if (cookies) response.setHeader("set-cookie", cookies);
  // The HTTP API's default for a function that names no type.
  if (body !== "" && !response.hasHeader("content-type"))
    response.setHeader("content-type", "application/json");
  response.writeHead(statusCode).end(isBase64Encoded ? Buffer.from(body, "base64") : body);
}
