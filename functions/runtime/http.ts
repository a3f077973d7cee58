import type { APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import type { LogFields, RunTelemetry, Tokens } from "../../shared/ports.ts";
import { problem, type Refusal, type Result, refuse, TagwireError } from "../../shared/protocol/errors.ts";
import type { Identity } from "../../shared/protocol/grant.ts";
import { BODY_BYTES } from "../../shared/protocol/limits.ts";
import { parseJson } from "../../shared/protocol/parse.ts";
import { bodyOf, type HttpEvent, headerOf } from "./event.ts";

export type HttpReply = APIGatewayProxyStructuredResultV2;

type Headers = Readonly<Record<string, string>>;

/** Answers with JSON. `headers` replace its own ones of the same name. */
export const reply = (statusCode: number, body: unknown, headers: Headers = {}): HttpReply => ({
  statusCode,
  headers: { "content-type": "application/json", "cache-control": "no-store", ...headers },
  body: JSON.stringify(body),
});

export function problemReply(refusal: Refusal): HttpReply {
  const document = problem(refusal);
  return reply(document.status, document, problemHeaders(document.status, refusal));
}

/** The headers of a problem document. */
export const problemHeaders = (status: number, refusal: Pick<Refusal, "retryAfter">): Headers => ({
  "content-type": "application/problem+json",
  // RFC 9110 §11.6.1: a 401 names the way to do it right.
  ...(status === 401 ? { "www-authenticate": "Bearer" } : {}),
  ...retryAfterHeader(refusal),
});

export const retryAfterHeader = ({ retryAfter }: Pick<Refusal, "retryAfter">): Headers =>
  retryAfter === undefined ? {} : { "retry-after": String(retryAfter) };

/** Who is asking, by the bearer token of the request. */
export function authorize(tokens: Tokens, event: HttpEvent): Promise<Result<Identity>> {
  const token = /^Bearer +(\S+)$/i.exec(headerOf(event, "authorization") ?? "")?.[1];
  return token
    ? tokens.verify(token)
    : Promise.resolve(refuse("TOKEN_MISSING", "send the header Authorization: Bearer <token>"));
}

/** The JSON of a request. Its size is checked before anything reads it. */
export function jsonBody(event: HttpEvent): Result<unknown> {
  const type = (headerOf(event, "content-type") ?? "").split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") {
    return refuse("CONTENT_TYPE_UNSUPPORTED", `send application/json, got ${type || "no content type"}`);
  }
  const body = bodyOf(event);
  if (body === undefined) return refuse("BODY_NOT_JSON", "the body is not text in UTF-8");
  if (body.bytes > BODY_BYTES)
    return refuse("BODY_TOO_LARGE", `a body has at most ${BODY_BYTES} bytes, got ${body.bytes}`);
  return parseJson(body.text);
}

/** What the log says of a request. */
export const requestFields = (requestId: string | undefined): LogFields =>
  requestId === undefined ? {} : { requestId };

/**
 * Answers, and writes what the run says about itself. Faults we named become what `tell` makes of them; a fault we
 * did not name stays a crash, so Lambda counts it.
 */
export async function guarded(
  { telemetry, fields = {} }: { readonly telemetry: RunTelemetry; readonly fields?: LogFields },
  answer: () => Promise<HttpReply>,
  report: (refusal: Refusal) => HttpReply = problemReply,
): Promise<HttpReply> {
  try {
    return await answer();
  } catch (fault) {
    telemetry.count("Faults");
    telemetry.warn("request failed", fields, fault);
    if (fault instanceof TagwireError) return report({ code: fault.code, detail: "try again" });
    throw fault;
  } finally {
    telemetry.flush();
  }
}
