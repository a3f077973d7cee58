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
  const found = Object.entries(fieldsOf(fieldsOf(event)["headers"])).find(
    ([key, value]) => key.toLowerCase() === name && textOf(value) !== undefined,
  );
  return textOf(found?.[1]);
}

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

/** The bytes of the body as they were sent; undefined if the event's text cannot come of any bytes. */
export function bodyOf(event: HttpEvent): Uint8Array | undefined {
  const { body, isBase64Encoded } = fieldsOf(event);
  if (body === undefined || body === null) return new Uint8Array();
  if (typeof body !== "string") return undefined;
  if (isBase64Encoded === true) return Buffer.from(body, "base64");
  return LONE_SURROGATE.test(body) ? undefined : Buffer.from(body);
}

/** Half a character: Buffer.from would write another in its place. */
const LONE_SURROGATE = /\p{Cs}/u;
