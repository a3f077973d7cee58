import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import type { RunTelemetry } from "../shared/adapters/powertools/telemetry.ts";
import { problem, type Refusal, type Result, refuse, TagwireError } from "../shared/domain/errors.ts";
import type { Identity } from "../shared/domain/grant.ts";
import { BODY_BYTES } from "../shared/domain/limits.ts";
import { parseJson } from "../shared/domain/parse.ts";
import type { Tokens } from "../shared/ports.ts";

export type HttpReply = APIGatewayProxyStructuredResultV2;

export const reply = (statusCode: number, body: unknown, type = "application/json"): HttpReply => ({
  statusCode,
  headers: { "content-type": type, "cache-control": "no-store" },
  body: JSON.stringify(body),
});

export function problemReply(refusal: Refusal): HttpReply {
  const document = problem(refusal);
  const sent = withRetryAfter(reply(document.status, document, "application/problem+json"), refusal);
  // RFC 9110 §11.6.1: a 401 names the way to do it right.
  return document.status === 401
    ? { ...sent, headers: { ...sent.headers, "www-authenticate": "Bearer" } }
    : sent;
}

export const withRetryAfter = (sent: HttpReply, { retryAfter }: Pick<Refusal, "retryAfter">): HttpReply =>
  retryAfter === undefined
    ? sent
    : { ...sent, headers: { ...sent.headers, "retry-after": String(retryAfter) } };

/** Who is asking, by the bearer token of the request. */
export function authorize(
  tokens: Tokens,
  { headers }: Pick<APIGatewayProxyEventV2, "headers">,
): Promise<Result<Identity>> {
  const token = /^Bearer +(\S+)$/i.exec(headers["authorization"] ?? "")?.[1];
  return token
    ? tokens.verify(token)
    : Promise.resolve(refuse("TOKEN_MISSING", "send the header Authorization: Bearer <token>"));
}

/** The JSON of a request. Its size is checked before anything reads it. */
export function jsonBody(
  event: Pick<APIGatewayProxyEventV2, "headers" | "body" | "isBase64Encoded">,
): Result<unknown> {
  const type = (event.headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") {
    return refuse("CONTENT_TYPE_UNSUPPORTED", `send application/json, got ${type || "no content type"}`);
  }
  const { body = "", isBase64Encoded } = event;
  const bytes = Buffer.byteLength(body, isBase64Encoded ? "base64" : "utf8");
  if (bytes > BODY_BYTES)
    return refuse("BODY_TOO_LARGE", `a body has at most ${BODY_BYTES} bytes, got ${bytes}`);
  return parseJson(isBase64Encoded ? Buffer.from(body, "base64").toString() : body);
}

/**
 * Answers, and writes what the run says about itself. Faults we named become what `tell` makes of them; a fault we
 * did not name stays a crash, so Lambda counts it.
 */
export async function guarded(
  telemetry: RunTelemetry,
  answer: () => Promise<HttpReply>,
  tell: (refusal: Refusal) => HttpReply = problemReply,
): Promise<HttpReply> {
  try {
    return await answer();
  } catch (fault) {
    telemetry.count("Faults");
    telemetry.warn("request failed", {}, fault);
    if (fault instanceof TagwireError) return tell({ code: fault.code, detail: "try again" });
    throw fault;
  } finally {
    telemetry.flush();
  }
}
