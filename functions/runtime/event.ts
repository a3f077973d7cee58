import type { APIGatewayProxyEventV2 } from "aws-lambda";

/**
 * An HTTP event as far as functions rely on it: nothing. API Gateway's payload format 2.0 has all of these, with
 * header names in lower case; emulators and other callers leave parts out, or null.
 */
export type HttpEvent = { readonly [K in keyof APIGatewayProxyEventV2]?: unknown } | null | undefined;

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields =>
  typeof value === "object" && value !== null ? (value as Fields) : {};

const textOf = (value: unknown): string | undefined =>
  typeof value === "string" ? value : Array.isArray(value) ? textOf(value[0]) : undefined;

/** A header by its name in lower case, however the event writes it. */
export function headerOf(event: HttpEvent, name: string): string | undefined {
  const headers = fieldsOf(fieldsOf(event)["headers"]);
  if (typeof headers[name] === "string") return headers[name];
  const found = Object.entries(headers).find(
    ([key, value]) => key.toLowerCase() === name && textOf(value) !== undefined,
  );
  return textOf(found?.[1]);
}

/** What API Gateway calls the request, in its access log and in the header `apigw-requestid` too. */
export const requestIdOf = (event: HttpEvent): string | undefined =>
  ownTextOf(fieldsOf(event)["requestContext"], "requestId");

/** A part of the path that the route names. */
export const pathParameterOf = (event: HttpEvent, name: string): string | undefined =>
  ownTextOf(fieldsOf(event)["pathParameters"], name);

export const queryParameterOf = (event: HttpEvent, name: string): string | undefined =>
  ownTextOf(fieldsOf(event)["queryStringParameters"], name);

/** All parameters of the query that are texts. */
export const queryOf = (event: HttpEvent): Readonly<Record<string, string>> => {
  const query = fieldsOf(fieldsOf(event)["queryStringParameters"]);
  return Object.fromEntries(
    Object.entries(query).flatMap(([name, value]) => {
      const text = textOf(value);
      return text === undefined ? [] : [[name, text]];
    }),
  );
};

const ownTextOf = (value: unknown, name: string): string | undefined => {
  const fields = fieldsOf(value);
  return Object.hasOwn(fields, name) ? textOf(fields[name]) : undefined;
};

/** In capitals. Where the event has no method, its route has one: `DELETE /v1/messages/{id}`. */
export function methodOf(event: HttpEvent): string {
  const { http } = fieldsOf(fieldsOf(event)["requestContext"]);
  return (textOf(fieldsOf(http)["method"]) ?? routeOf(event).split(" ")[0] ?? "").toUpperCase();
}

/** Whether the event came by a route of this path, or has this path if it names no route. */
export function isAt(event: HttpEvent, path: string): boolean {
  const { http } = fieldsOf(fieldsOf(event)["requestContext"]);
  const at =
    routeOf(event).split(" ")[1] ?? textOf(fieldsOf(event)["rawPath"]) ?? textOf(fieldsOf(http)["path"]);
  return at === path;
}

const routeOf = (event: HttpEvent): string =>
  textOf(fieldsOf(event)["routeKey"]) ??
  textOf(fieldsOf(fieldsOf(event)["requestContext"])["routeKey"]) ??
  "";

/** The body as it was sent, with its length in bytes. Undefined if it is not text in UTF-8. */
export function bodyOf(event: HttpEvent): { readonly text: string; readonly bytes: number } | undefined {
  const { body, isBase64Encoded } = fieldsOf(event);
  if (body === undefined || body === null) return { text: "", bytes: 0 };
  if (typeof body !== "string") return undefined;
  if (isBase64Encoded !== true)
    return body.isWellFormed() ? { text: body, bytes: Buffer.byteLength(body) } : undefined;
  const bytes = Buffer.from(body, "base64");
  try {
    return { text: UTF8.decode(bytes), bytes: bytes.length };
  } catch {
    return undefined;
  }
}

/** JSON is UTF-8 without a byte order mark (RFC 8259 §8.1), so a mark is kept, and refused as no JSON. */
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
